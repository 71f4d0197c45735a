/** What several workers counted, those that died included. */
import { describe, expect, it } from 'vitest';
import { type Counting, PoolStats } from '../../../../src/plane/workers/primary/pool-stats.js';
import { noFills } from '../../../../src/proxy/measure/fill-counts.js';
import { emptyHistogram } from '../../../../src/proxy/measure/histogram.js';
import { emptyPlaneStats, type GroupCounts, type PlaneStats } from '../../../../src/proxy/measure/plane-stats.js';
import { noReplicaReads } from '../../../../src/proxy/measure/replica-read-counts.js';

function counted(group: string, hits: number): GroupCounts {
  return {
    ...{ group, calls: hits, errors: 0, hits, misses: 0 },
    ...{ replicatedKeys: 5, replicatedBytes: 50, nearHits: hits, nearMisses: 0, nearEntries: 7, nearBytes: 70 },
    ...{ fills: noFills(), replicaReads: noReplicaReads(), time: emptyHistogram() },
  };
}

class FakeWorker implements Counting {
  readonly slot = 1;
  ended = false;
  lastStats: PlaneStats;

  constructor(...groups: GroupCounts[]) {
    this.lastStats = { ...emptyPlaneStats(), replicatedKeys: 5, replicatedBytes: 50, groups };
  }

  stats(): Promise<PlaneStats> {
    return Promise.resolve(this.lastStats);
  }
}

const named = (...groups: string[]): { group: string }[] => groups.map((group) => ({ group }));
const nobody = () => ({ clients: 0, ofAddress: 0 });
const read = (pool: PoolStats, ...groups: string[]): Promise<PlaneStats> => pool.read(0, nobody, named(...groups));

describe('what workers counted of groups of keys', () => {
  it('is told of the groups that there are, in their order, whatever workers that died knew', async () => {
    const workers = new Set<FakeWorker>();
    const pool = new PoolStats(workers);
    pool.onExit(new FakeWorker(counted('gone', 1), counted('pages', 2), counted('other', 3)));
    workers.add(new FakeWorker(counted('new', 10), counted('pages', 20), counted('other', 30)));
    const { groups } = await read(pool, 'pages', 'new');
    expect(groups.map(({ group, hits }) => [group, hits])).toEqual([
      ['pages', 22],
      ['new', 10],
      ['other', 33],
    ]);
    expect((await read(pool)).groups).toEqual([]);
  });

  // What a dead worker had kept was counted for ever.
  it('has nothing of what went with a worker that died', async () => {
    const workers = new Set<FakeWorker>();
    const pool = new PoolStats(workers);
    pool.onExit(new FakeWorker(counted('pages', 2)));
    const gone = await read(pool, 'pages');
    expect(gone).toMatchObject({ replicatedKeys: 0, replicatedBytes: 0 });
    expect(gone.groups[0]).toMatchObject({ hits: 2, nearEntries: 0, nearBytes: 0, replicatedKeys: 0 });
    workers.add(new FakeWorker(counted('pages', 1)));
    expect((await read(pool, 'pages')).groups[0]).toMatchObject({ hits: 3, nearEntries: 7, nearBytes: 70 });
  });
});
