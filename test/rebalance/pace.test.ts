import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/rebalance/pace.js';

/** A pace whose clock stands still unless it is told to go on. */
function paced({ busy = false, sources = 1 } = {}) {
  const state = { busy, sources, now: 1000 };
  const pace = new Pace(
    () => state.busy,
    () => state.sources,
    { now: () => state.now },
  );
  return { state, pace };
}

/** Batches of the size that is asked for, each of which takes so long, until the size settles. */
function settle(pace: Pace, took: (keys: number) => number, batches = 40): number {
  for (let i = 0; i < batches; i++) pace.after(pace.batchKeys, took(pace.batchKeys));
  return pace.batchKeys;
}

describe('the size of a batch', () => {
  it('grows while batches are quick, to 128 keys', () => {
    const { pace } = paced();
    expect(pace.batchKeys).toBe(16);
    pace.after(16, 1);
    expect(pace.batchKeys).toBe(32);
    expect(settle(pace, () => 1)).toBe(128);
  });

  it('shrinks while batches are slow, to one key', () => {
    const { pace } = paced();
    pace.after(16, 1);
    for (let i = 0; i < 10; i++) pace.after(pace.batchKeys, 50);
    expect(pace.batchKeys).toBe(1);
  });

  it('does not count the way to the nodes, which no smaller batch makes shorter', () => {
    const { pace } = paced();
    expect(settle(pace, () => 80)).toBe(128);
  });

  it('finds the way anew when nodes come to be farther away', () => {
    const { pace } = paced();
    settle(pace, () => 1);
    pace.after(128, 40);
    expect(pace.batchKeys).toBeLessThan(128);
    expect(settle(pace, () => 40, 500)).toBe(128);
  });

  it('stays where a batch takes about as long as it may', () => {
    const { pace } = paced();
    pace.after(16, 1);
    for (let i = 0; i < 10; i++) pace.after(pace.batchKeys, 7);
    expect(pace.batchKeys).toBe(32);
  });

  it('is not taken from a batch that was smaller than asked for', () => {
    const { pace } = paced();
    pace.after(3, 1);
    expect(pace.batchKeys).toBe(16);
  });

  it('is small while clients are served', () => {
    const { pace, state } = paced();
    settle(pace, () => 1);
    state.busy = true;
    expect(pace.batchKeys).toBe(96);
    expect(pace.scanKeys).toBe(128);
    state.busy = false;
    expect(pace.batchKeys).toBe(128);
    expect(pace.scanKeys).toBe(1024);
  });
});

describe('the pause behind a batch', () => {
  it('is none without clients', () => {
    const { pace } = paced({ sources: 4 });
    expect(pace.after(16, 500)).toBe(0);
  });

  it('gives clients the time that other sources take at once', () => {
    const { pace, state } = paced({ busy: true });
    pace.after(16, 2);
    // 10 ms of work, and four sources: each works a quarter of the time.
    state.sources = 4;
    expect(pace.after(16, 12)).toBeCloseTo(30, 0);
    state.sources = 1;
    expect(pace.after(16, 12)).toBe(5);
  });

  it('grows with the sources, so that they begin no more batches together than one alone', () => {
    const { pace } = paced({ busy: true, sources: 3 });
    expect(pace.after(16, 2)).toBe(15);
  });

  it('is never longer than a second, however slow the nodes are', () => {
    const { pace } = paced({ busy: true, sources: 10 });
    pace.after(16, 1);
    expect(pace.after(16, 60_000)).toBe(1000);
  });
});

describe('a throttle', () => {
  it('lets so many keys through in a second', () => {
    const { pace, state } = paced();
    pace.throttle(200);
    const start = state.now;
    let keys = 0;
    while (state.now < start + 10_000) {
      keys += pace.batchKeys;
      state.now += pace.after(pace.batchKeys, 1);
    }
    expect(keys).toBeGreaterThanOrEqual(2000);
    expect(keys).toBeLessThanOrEqual(2020);
  });

  it('is divided by the sources that are being swept at that moment', () => {
    const { pace, state } = paced({ sources: 2 });
    pace.throttle(100);
    expect(pace.batchKeys).toBe(5);
    expect(pace.after(10, 1)).toBe(200);
    state.now += 200;
    state.sources = 1;
    expect(pace.batchKeys).toBe(10);
    expect(pace.after(10, 1)).toBe(100);
  });

  it('makes small batches of few keys, and of one at least', () => {
    const { pace } = paced();
    pace.throttle(50);
    expect(pace.batchKeys).toBe(5);
    pace.throttle(3);
    expect(pace.batchKeys).toBe(1);
  });

  it('makes up for nothing: the time in which the sweep stood still is no credit', () => {
    const { pace, state } = paced();
    pace.throttle(100);
    pace.after(10, 1);
    state.now += 60_000;
    expect(pace.after(10, 1)).toBe(100);
  });

  it('ends with 0', () => {
    const { pace } = paced();
    pace.throttle(1);
    expect(pace.keysPerSecond).toBe(1);
    expect(pace.after(16, 1)).toBe(16_000);
    pace.throttle(0);
    expect(pace.keysPerSecond).toBe(0);
    expect(pace.after(16, 1)).toBe(0);
  });
});
