import { describe, expect, it } from 'vitest';
import { KEPT_SECONDS, LoadHistory, type LoadTotals } from '../../src/telemetry/load-history.js';

/** Counters that a test moves, and a clock that it turns. */
class Source {
  now = 5000;
  calls = 0;
  errors = 0;
  moved = 0;
  /** Three buckets, of 1, 2 and 3 seconds. */
  readonly counts = new Float64Array(3);
  nodeCommands = 0;
  cpuSeconds = 5;
  address = 'h:1';
  groups: LoadTotals['groups'] = [];

  readonly history = new LoadHistory({
    read: () => this.totals(),
    keysMoved: () => this.moved,
    bucketUpperBound: (bucket) => bucket + 1,
    now: () => this.now,
  });

  async second(answered: readonly number[], milliseconds = 1000): Promise<void> {
    for (const bucket of answered) (this.counts[bucket] as number)++;
    this.calls += answered.length;
    this.nodeCommands += answered.length;
    this.now += milliseconds;
    await this.history.read();
  }

  totals(): LoadTotals {
    const time = { counts: this.counts };
    return {
      ...{ clients: 7, hits: this.calls / 2, misses: 0, bytesIn: 100 * this.calls, bytesOut: 0 },
      ...{ cpuSeconds: this.cpuSeconds, residentMemory: 1000 },
      ...{ heldClients: 0, loopLag: 0.001, commands: [{ calls: this.calls, errors: this.errors, time }] },
      nodes: [
        { node: 'a', address: this.address, up: true, commands: this.nodeCommands, errors: 0, inflight: 2, time },
      ],
      groups: this.groups,
    };
  }
}

async function started(): Promise<Source> {
  const source = new Source();
  await source.history.read();
  return source;
}

describe('the history of loads', () => {
  it('has rates of groups of keys, and none that come from the time before a group was there', async () => {
    const source = await started();
    const pages = { group: 'pages', calls: 1000, hits: 500, misses: 100 };
    source.groups = [pages];
    await source.second([]);
    source.groups = [{ ...pages, calls: 1010, hits: 504, misses: 101 }];
    await source.second([]);
    expect(source.history.over(2)?.keyGroups).toEqual([
      { group: 'pages', commandsPerSecond: 5, hitsPerSecond: 2, missesPerSecond: 0.5 },
    ]);
    source.groups = [];
    await source.second([]);
    expect(source.history.over(3)?.keyGroups).toEqual([]);
  });

  it('has nothing to say before the first second is over', async () => {
    const { history } = await started();
    expect([history.over(1), history.samples()]).toEqual([null, []]);
  });

  it('has rates, and quantiles of that second alone', async () => {
    const source = await started();
    await source.second([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    source.errors = 1;
    source.moved = 30;
    source.cpuSeconds += 3;
    await source.second([2, 2, 1, 1], 2000);
    const [first, second] = source.history.samples();
    expect(first).toMatchObject({ seconds: 1, commandsPerSecond: 10, errorsPerSecond: 0, p50: 1, p99: 1, clients: 7 });
    expect(second).toMatchObject({ seconds: 2, commandsPerSecond: 2, errorsPerSecond: 0.5, p50: 2, p99: 3 });
    expect(second).toMatchObject({ hitsPerSecond: 1, bytesInPerSecond: 200, keysMovedPerSecond: 15 });
    expect([first?.cores, second?.cores, second?.residentMemory]).toEqual([0, 1.5, 1000]);
    expect(second?.nodes).toEqual([
      { node: 'a', address: 'h:1', up: true, inflight: 2, commandsPerSecond: 2, errorsPerSecond: 0, p50: 2, p99: 3 },
    ]);
  });

  it('adds seconds up', async () => {
    const source = await started();
    for (let i = 0; i < 9; i++) await source.second([0]);
    await source.second([0, 2, 2]);
    expect(source.history.over(10)).toMatchObject({ seconds: 10, commandsPerSecond: 1.2, p50: 1, p99: 3 });
    expect(source.history.over(1)).toMatchObject({ seconds: 1, commandsPerSecond: 3, p50: 3 });
    expect(source.history.over(300)).toMatchObject({ seconds: 10 });
  });

  it('says null and not zero where nothing was measured', async () => {
    const source = await started();
    await source.second([]);
    expect(source.history.over(1)).toMatchObject({ commandsPerSecond: 0, p50: null, p99: null });
  });

  it('takes counters that begin anew for no negative rate', async () => {
    const source = await started();
    await source.second([0, 0]);
    source.calls = 0;
    source.counts.fill(0);
    source.nodeCommands = 0;
    source.address = 'h:2';
    await source.second([1]);
    expect(source.history.over(1)).toMatchObject({ commandsPerSecond: 0, nodes: [{ commandsPerSecond: 1, p50: 2 }] });
  });

  it('keeps minutes, and gives what is new since a time', async () => {
    const source = await started();
    for (let i = 0; i < KEPT_SECONDS + 5; i++) await source.second([0]);
    const samples = source.history.samples();
    expect(samples).toHaveLength(KEPT_SECONDS);
    expect(source.history.samples(new Date(samples.at(-1)?.at ?? ''))).toEqual([]);
    expect(source.history.samples(new Date(0))).toHaveLength(KEPT_SECONDS);
  });
});
