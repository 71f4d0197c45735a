import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { monotonicNow } from '../../../src/time/monotonic.js';
import { COORDINATOR } from '../../../src/topology/store/ring-store.js';
import { CutRelay } from '../../support/cut-relay.js';
import { EtcdGateway } from '../../support/etcd-gateway.js';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { etcdPlace, keysUnder, storeAt } from './etcd-place.js';
import { found, generation, hear, INFO, join, preparing, record, stable, take } from './etcd-stage.js';

describe.skipIf(!hasEtcd)('several proxies at one etcd', () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd();
  });

  async function fleet(count: number): Promise<ReturnType<typeof storeAt>[]> {
    const ringName = randomUUID();
    const stores = Array.from({ length: count }, () => storeAt(etcd.endpoints, { ringName }));
    for (const store of stores) await store.open();
    const [first, ...others] = stores;
    if (first === undefined) throw new Error('there is none');
    await found(first, 'p1');
    for (const [index, store] of others.entries()) await join(store, `p${index + 2}`);
    return stores;
  }

  it('are told what any of them writes, once and in the order in which it was written', async () => {
    const stores = await fleet(3);
    const [writer] = stores;
    if (writer === undefined) throw new Error('there is none');
    const all = stores.map(hear);
    const claim = await take(writer);
    for (let number = 2; number <= 30; number++) await record(writer, generation(number), claim);
    const wanted = Array.from({ length: 29 }, (_, index) => index + 2);
    for (const { generations, events } of all) {
      await expect.poll(generations).toEqual(wanted);
      const revisions = events.flatMap((event) => (event.kind === 'standing' ? [] : [revisionOf(event)]));
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    }
  });

  it('begin with one ring, however many of them make it at the same instant', async () => {
    const ringName = randomUUID();
    const stores = Array.from({ length: 5 }, () => storeAt(etcd.endpoints, { ringName }));
    await Promise.all(stores.map((store) => store.open()));
    const made = await Promise.all(
      stores.map(async (store, index) => {
        const claim = await store.claim(COORDINATOR, `p${index}`, 'quick');
        return claim === null ? null : store.compareAndSave(null, generation(index + 1), claim);
      }),
    );
    expect(made.filter((revision) => revision !== null)).toHaveLength(1);
    const rings = await Promise.all(stores.map((store) => store.load()));
    expect(new Set(rings.map((ring) => ring?.state.generation)).size).toBe(1);
  });

  it('give a job to one of those that ask at the same instant, time after time', async () => {
    const stores = await fleet(4);
    for (let round = 0; round < 10; round++) {
      const claims = await Promise.all(stores.map((store, index) => store.claim('job', `p${index + 1}`, 'quick')));
      const [claim, ...others] = claims.filter((one) => one !== null);
      expect(others).toEqual([]);
      const holder = stores[Number(claim?.holder.slice(1)) - 1];
      if (claim === undefined || holder === undefined) throw new Error('nobody has it');
      await holder.release(claim);
    }
  });

  // Rule 6 of the protocol: everybody counts. Who records a fence and then asks for the members must miss nobody.
  it('count in a fence when they were registered before it, whoever was told of that by then', async () => {
    const [writer, ...joiners] = await fleet(4);
    if (writer === undefined) throw new Error('there is none');
    const claim = await take(writer);
    let seen = await record(writer, generation(2), claim);
    for (let round = 0; round < 15; round++) {
      const ids = joiners.map((_, index) => `r${round}-${index}`);
      const [written, ...registered] = await Promise.all([
        writer.compareAndSave(seen, generation(round + 3), claim),
        ...joiners.map((store, index) => store.register(ids[index] ?? '', INFO, seen)),
      ]);
      const members = (await writer.members()).map(({ id }) => id);
      for (const [index, revision] of registered.entries()) {
        expect(revision === null || revision < (written ?? 0)).toBe(true);
        if (revision !== null) expect(members).toContain(ids[index]);
      }
      seen = written ?? seen;
    }
  });

  it('refuse what a coordinator writes that was stalled, when another one has taken over', async () => {
    const place = etcdPlace(etcd);
    const stalled = await place.open('p1');
    await found(stalled, 'p1');
    const old = await take(stalled);
    const seen = await record(stalled, generation(2), old);
    const relayed = await place.open('p2');
    await place.kill(stalled);
    const claim = await take(relayed, COORDINATOR, 'p2');
    // What was under way when it was stalled comes late, and is refused by its claim, not by the ring's revision.
    expect(await relayed.compareAndSave(seen, preparing, old)).toBeNull();
    expect(await relayed.compareAndSave(seen, preparing, claim)).toBeGreaterThan(seen);
  });

  it('know at once of one that has left, and of nothing that it did', async () => {
    const [first, second] = await fleet(2);
    if (first === undefined || second === undefined) throw new Error('there is none');
    await take(second, 'job', 'p2');
    await second.deregister(['p2']);
    await second.close();
    await expect.poll(async () => (await first.members()).map(({ id }) => id)).toEqual(['p1']);
    await expect.poll(() => first.claims()).toEqual([]);
  });

  it('leave nothing behind that hangs on no proxy, when all have left', async () => {
    const ringName = randomUUID();
    const store = storeAt(etcd.endpoints, { ringName });
    await store.open();
    await found(store);
    await take(store, 'job');
    await store.claim('slow', 'p1', 'slow');
    await store.rehearse(preparing);
    await store.deregister(['p1']);
    await store.close();
    expect((await keysUnder(etcd, `/test/${ringName}/`)).map(({ key }) => key)).toEqual([`/test/${ringName}/ring`]);
  });

  it('ask nothing of it while nothing happens, but for a renewal of each lease', async () => {
    const gateway = await EtcdGateway.start(etcd.endpoints[0] ?? '');
    const store = storeAt([gateway.url]);
    await store.open();
    await found(store);
    await store.members();
    const before = gateway.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    // A member's, of 10 s, every four seconds: a fifth of a request a second is left for surprises.
    const idle = gateway.calls.slice(before);
    expect(idle.filter((call) => call !== '/v3/lease/keepalive').length).toBeLessThanOrEqual(1);
    expect(idle.length / 10.5).toBeLessThan(0.5);
    const claim = await take(store);
    const began = gateway.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 4000));
    // With the lease of who coordinates, of 3 s.
    expect((gateway.calls.length - began) / 4).toBeLessThanOrEqual(1.5);
    await store.release(claim);
    // It is gone with the last job.
    expect(gateway.calls.at(-1)).toBe('/v3/lease/revoke');
  });

  describe('of which one has lost its lease', () => {
    interface Lost {
      readonly store: ReturnType<typeof storeAt>;
      readonly other: ReturnType<typeof storeAt>;
      readonly relay: CutRelay;
      /** Its leases end, as if their time had run out. */
      endLeases(): Promise<void>;
    }
    async function stage(): Promise<Lost> {
      const ringName = randomUUID();
      const relay = await CutRelay.start(etcd.members[0]?.clientPort ?? 0);
      const store = storeAt([relay.url], { ringName, memberTtl: 2000 });
      await store.open();
      await found(store, 'p1');
      const other = storeAt(etcd.endpoints, { ringName });
      await other.open();
      await join(other, 'p2');
      const endLeases = async (): Promise<void> => {
        const keys = await keysUnder(etcd, `/test/${ringName}/`);
        const own = keys.filter(({ key, value }) => key.endsWith('/alive/p1') || value.includes('"holder":"p1"'));
        for (const ID of new Set(own.map(({ lease }) => lease))) await etcd.call('/v3/lease/revoke', { ID });
      };
      return { store, other, relay, endLeases };
    }

    it('is alive again by itself, as long as nobody has fenced it off', async () => {
      const { store, other, endLeases } = await stage();
      const { count } = hear(store);
      await endLeases();
      await expect.poll(() => count('standing')).toBeGreaterThan(1);
      await expect.poll(() => store.validUntil).toBeGreaterThan(monotonicNow());
      await expect.poll(async () => (await other.members()).map(({ alive }) => alive)).toEqual([true, true]);
    });

    it('finds out that it was fenced off meanwhile, and joins by another id on the same store', async () => {
      const { store, other, relay, endLeases } = await stage();
      relay.refuse();
      await endLeases();
      await expect.poll(() => other.fenceOff('p1')).toBe(true);
      const before = store.validUntil;
      relay.heal();
      await expect.poll(() => store.validUntil).toBe(0);
      expect(before).toBeGreaterThanOrEqual(0);
      expect(await store.isKnownMember('p1')).toBe(false);
      expect(await store.answer('p1', { revision: 1, acknowledged: true, why: '' })).toBeNull();
      expect(await store.register('p1', INFO, (await store.load())?.revision ?? -1)).toBeNull();
      await join(store, 'p3');
      expect(store.validUntil).toBeGreaterThan(monotonicNow());
      const seen = async () => (await other.members()).map(({ id, alive, fencedOff }) => [id, alive, fencedOff]);
      await expect.poll(seen).toEqual([
        ['p1', false, true],
        ['p2', true, false],
        ['p3', true, false],
      ]);
    });

    it('is told so when it is forgotten, and may not speak to nodes from then on', async () => {
      const { store, other } = await stage();
      const { count } = hear(store);
      await other.deregister(['p1']);
      await expect.poll(() => store.validUntil).toBe(0);
      expect(count('standing')).toBeGreaterThan(0);
      expect(await store.isKnownMember('p1')).toBe(false);
    });

    it('counts its lease from when the renewal was sent, and no longer than etcd does', async () => {
      const { store, relay } = await stage();
      relay.silence('all');
      const { validUntil } = store;
      expect(validUntil - monotonicNow()).toBeLessThanOrEqual(2000);
      const { count } = hear(store);
      // It may have been renewed in the instant before; from then on nothing comes.
      await expect.poll(() => store.validUntil < monotonicNow()).toBe(true);
      await expect.poll(() => count('standing')).toBeGreaterThan(0);
    });

    it('is told that it may have lost its jobs, and that it has', async () => {
      const { store, other, relay } = await stage();
      const claim = await take(store, 'job');
      expect([await store.claims(), await other.claims()].map(({ length }) => length)).toEqual([1, 1]);
      const { count } = hear(store);
      relay.refuse();
      await expect.poll(() => count('claims'), { timeout: 10_000 }).toBeGreaterThan(0);
      expect(await store.claims()).toEqual([]);
      // etcd lets it run out a moment later.
      await expect.poll(() => other.claims(), { timeout: 10_000 }).toEqual([]);
      const next = await other.claim('job', 'p2', 'quick');
      expect(next?.revision).toBeGreaterThan(claim.revision);
      relay.heal();
      await expect.poll(async () => (await store.claims()).map(({ holder }) => holder)).toEqual(['p2']);
      expect(await store.claim('job', 'p1', 'quick')).toBeNull();
    });

    it('takes a job anew whose lease was lost before anybody has noticed', async () => {
      const { store, endLeases } = await stage();
      const claim = await take(store, 'job');
      await endLeases();
      const again = await take(store, 'job');
      expect(again.revision).toBeGreaterThan(claim.revision);
      expect(await store.claims()).toEqual([again]);
    });
  });

  it('of different versions: one that does not understand the record says so, and what to do', async () => {
    const ringName = randomUUID();
    const troubles: string[] = [];
    const store = storeAt(etcd.endpoints, { ringName, onTrouble: (message) => troubles.push(message) });
    await store.open();
    await record(store, stable, await take(store));
    const { generations } = hear(store);
    const newer = JSON.stringify({ format: 4, previous: null, write: '', state: { all: 'different' } });
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    await etcd.call('/v3/kv/put', { key: encoded(`/test/${ringName}/ring`), value: encoded(newer) });
    await expect(store.load()).rejects.toMatchObject({
      code: 'RING_FORMAT',
      message: `the ring in etcd (/test/${ringName}/ring) is recorded in format 4, and this version understands 3`,
      hint: expect.stringContaining('at least as new'),
    });
    await expect.poll(() => troubles.length).toBe(1);
    expect(generations()).toEqual([]);
    await etcd.call('/v3/kv/put', { key: encoded(`/test/${ringName}/ring`), value: encoded('nonsense') });
    await expect(store.load()).rejects.toMatchObject({ code: 'RING_RECORD' });
  });
});

function revisionOf(event: {
  readonly kind: string;
  readonly revision?: number;
  readonly ring?: { revision: number };
}) {
  return event.revision ?? event.ring?.revision ?? 0;
}
