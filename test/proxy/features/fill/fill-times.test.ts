import { describe, expect, it } from 'vitest';
import { FillTimes } from '../../../../src/proxy/features/fill/fill-times.js';
import { LastValues } from '../../../../src/proxy/features/fill/last-values.js';
import type { ClientConnection } from '../../../../src/proxy/session/client-connection.js';

const KEY = Buffer.from('key');

describe('when a key is filled before it expires', () => {
  const isDue = (times: FillTimes, left: number) => times.isDue(KEY, 0, KEY.length, left);

  it('is as long before as filling it took, and by chance half as much again, drawn once for each value', () => {
    let drawn = 0;
    // Each of the numbers from 0 to 1 once.
    const times = new FillTimes(() => (drawn++ % 10_000) / 10_000);
    expect(isDue(times, 0)).toBe(false);
    // How many values are filled with so much time left, of 10,000 that lived for ten seconds.
    const share = (left: number): number => {
      let due = 0;
      for (let i = 0; i < 10_000; i++) {
        times.note(KEY, 100);
        // However often it is read before.
        for (let read = 0; read < 3; read++) if (isDue(times, 1_300)) return Number.NaN;
        if (isDue(times, left)) due++;
      }
      return due / 10_000;
    };
    for (const left of [0, 50, 100]) expect(share(left)).toBe(1);
    for (const left of [150, 300]) expect(share(left)).toBeCloseTo(Math.exp(-(left - 100) / 50), 3);
    expect(drawn).toBe(50_000);
    expect(isDue(times, Number.POSITIVE_INFINITY)).toBe(false);
    expect(times.isDue(Buffer.from('other'), 0, 5, 0)).toBe(false);
  });

  /** Symptom: a key that lived for five times as long as it took to make was made anew all the time, while many read it. */
  it('is not before half of its time is over, however little that is', () => {
    const times = new FillTimes(() => 0.9);
    times.note(KEY, 200);
    for (let left = 300; left > 150; left -= 10) expect(isDue(times, left)).toBe(false);
    expect(isDue(times, 150)).toBe(true);
    times.note(KEY, 10);
    for (let left = 300; left > 30; left -= 10) expect(isDue(times, left)).toBe(false);
    expect(isDue(times, 20)).toBe(true);
  });
});

describe('last values', () => {
  const client = (id: number): ClientConnection => Object.assign(Object.create(null), { id });
  const value = Buffer.from('$1\r\nv\r\n');

  it('are not shown to who removed them, nor when they are old, or of another database', () => {
    const last = new LastValues(10_000);
    const [remover, other] = [client(1), client(2)] as const;
    last.keep(KEY, 0, value, 0, value.length, 100);
    last.onRemoved(remover, KEY, 0);
    expect(last.find(remover, KEY, 0, 0)).toBeNull();
    expect(last.find(other, KEY, 0, 0)).toEqual(value);
    expect(last.find(other, KEY, 0, 101)).toBeNull();
    expect(last.find(other, KEY, 1, 0)).toBeNull();
    last.onUnknown(other, 200);
    expect(last.find(other, KEY, 0, 0)).toBeNull();
    last.keep(KEY, 0, value, 0, value.length, 300);
    for (const one of [remover, other]) expect(last.find(one, KEY, 0, 0)).toEqual(value);
    last.drop(KEY, 0);
    expect(last.find(other, KEY, 0, 0)).toBeNull();
  });

  it('take no more bytes than they may', () => {
    const last = new LastValues(10_000);
    const large = Buffer.alloc(1_000);
    for (let i = 0; i < 100; i++) last.keep(Buffer.from(`key${i}`), 0, large, 0, large.length, i);
    expect(last.size).toBe(8);
    for (let i = 0; i < 100; i++) last.keep(KEY, 0, large, 0, large.length, i);
    expect(last.size).toBe(8);
    expect(last.find(client(1), Buffer.from('key98'), 0, 0)).toEqual(large);
  });
});
