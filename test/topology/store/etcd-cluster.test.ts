/** Three etcds, of which some die, stand still or are cut off. */
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { monotonicNow } from '../../../src/time/monotonic.js';
import type { EtcdStore } from '../../../src/topology/store/etcd-store.js';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { describeRingStore } from './contract.js';
import { etcdPlace, storeAt } from './etcd-place.js';
import { found, generation, type Heard, hear, join, record, take } from './etcd-stage.js';

describe.skipIf(!hasEtcd)('with three etcds', () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd(3);
  });
  // A member that a test has stopped goes on; whoever is dead is started.
  beforeEach(async () => {
    for (const member of etcd.members) member.signal('SIGCONT');
    await etcd.decides();
  });

  describeRingStore('a cluster', () => Promise.resolve(etcdPlace(etcd)));

  interface Stage {
    readonly stores: readonly [EtcdStore, EtcdStore];
    readonly heard: readonly [Heard, Heard];
  }

  /** Two proxies, which ask another member first each. */
  async function stage(): Promise<Stage> {
    const ringName = randomUUID();
    const urls = etcd.endpoints;
    const first = storeAt(urls, { ringName });
    const second = storeAt([...urls].reverse(), { ringName });
    await first.open();
    await second.open();
    await found(first, 'p1');
    await join(second, 'p2');
    // What the other one writes is heard of, sooner or later.
    await expect.poll(async () => (await first.members()).length).toBe(2);
    return { stores: [first, second], heard: [hear(first), hear(second)] };
  }

  it('goes on when any of them dies, and when it comes back', async () => {
    const { stores, heard } = await stage();
    const [first] = stores;
    const wanted: number[] = [];
    for (const [index, member] of etcd.members.entries()) {
      await member.kill();
      // The claim may have been lost with an election: nobody counts on it.
      await record(first, generation(index + 2), await take(first));
      wanted.push(index + 2);
      for (const { generations } of heard) await expect.poll(generations).toEqual(wanted);
      await member.restart();
      await etcd.decides();
    }
    for (const store of stores) {
      expect(store.isReachable).toBe(true);
      await expect.poll(() => store.validUntil).toBeGreaterThan(monotonicNow());
    }
    expect((await first.members()).map(({ alive }) => alive)).toEqual([true, true]);
  });

  it('goes on when the one that leads stands still', async () => {
    const { stores, heard } = await stage();
    const [first, second] = stores;
    const leader = await etcd.leader();
    leader.signal('SIGSTOP');
    const began = monotonicNow();
    const next = async (store: EtcdStore): Promise<number> => {
      // The time of one request may not be enough for an election.
      for (;;) {
        try {
          return await record(store, generation(2), await take(store));
        } catch (error) {
          expect(error).toMatchObject({ name: 'RingproxyError' });
        }
      }
    };
    await next(first);
    expect(monotonicNow() - began).toBeLessThan(15_000);
    await expect.poll(heard[1].generations).toEqual([2]);
    leader.signal('SIGCONT');
    await record(second, generation(3), await take(second, 'other', 'p2'));
    await expect.poll(heard[0].generations).toEqual([2, 3]);
  });

  it('decides nothing without a majority, says so, and goes on when that is back', async () => {
    const { stores, heard } = await stage();
    const [first, second] = stores;
    const claim = await take(first);
    const seen = await record(first, generation(2), claim);
    const [, ...others] = etcd.members;
    for (const member of others) member.signal('SIGSTOP');
    const failure = await first.compareAndSave(seen, generation(3), claim).then(
      () => null,
      (error) => error,
    );
    expect(failure).toMatchObject({ name: 'RingproxyError', mayHaveHappened: true });
    expect(failure.code).toMatch(/^ETCD_(UNREACHABLE|NO_LEADER)$/);
    for (const url of etcd.endpoints) expect(failure.message).toContain(url);
    expect(first.isReachable).toBe(false);
    expect(heard[0].count('standing')).toBeGreaterThan(0);
    expect(await first.isKnownMember('p1')).toBeNull();
    // What is known is known yet: whoever looks at the fleet sees how it was.
    expect((await second.members()).map(({ id }) => id)).toEqual(['p1', 'p2']);
    for (const member of others) member.signal('SIGCONT');
    await etcd.decides();
    await expect.poll(() => first.isReachable).toBe(true);
    for (const store of stores) await expect.poll(() => store.validUntil).toBeGreaterThan(monotonicNow());
    // It was written or it was not; either way the next one that looks can go on.
    const again = await take(first, 'coordinator', 'p1');
    await record(first, generation(9), again);
    await expect.poll(() => heard[1].generations().at(-1)).toBe(9);
  });

  it('counts nobody out when all of them are killed and come back', async () => {
    const { stores } = await stage();
    const [first] = stores;
    await etcd.kill();
    await expect(first.load()).rejects.toMatchObject({ code: 'ETCD_UNREACHABLE', mayHaveHappened: false });
    await etcd.restart();
    await etcd.decides();
    for (const store of stores) {
      await expect.poll(() => store.isReachable).toBe(true);
      await expect.poll(() => store.validUntil).toBeGreaterThan(monotonicNow());
    }
    expect((await first.members()).map(({ id, fencedOff }) => [id, fencedOff])).toEqual([
      ['p1', false],
      ['p2', false],
    ]);
    await expect.poll(async () => (await first.members()).every(({ alive }) => alive)).toBe(true);
  });
});
