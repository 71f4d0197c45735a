/** Writes whose answer does not come: what the store says of them must be what etcd has done. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EtcdStore } from '../../../src/topology/store/etcd-store.js';
import { EtcdGateway, type Fate } from '../../support/etcd-gateway.js';
import { type EtcdCluster, hasEtcd, startEtcd } from '../../support/etcd-process.js';
import { keysUnder, storeAt } from './etcd-place.js';
import { found, generation, INFO, join, record, stable, take } from './etcd-stage.js';

const TXN = '/v3/kv/txn';
const LOST: Fate = { kind: 'lose' };

describe.skipIf(!hasEtcd)('a write whose answer is lost', () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd();
  });

  interface Stage {
    /** By the gateway. */
    readonly store: EtcdStore;
    /** Past it. */
    readonly other: EtcdStore;
    readonly gateway: EtcdGateway;
    readonly revisionOf: (key: string) => Promise<number>;
  }

  async function stage(): Promise<Stage> {
    const ringName = randomUUID();
    const gateway = await EtcdGateway.start(etcd.endpoints[0] ?? '');
    const store = storeAt([gateway.url], { ringName });
    const other = storeAt(etcd.endpoints, { ringName });
    await store.open();
    await other.open();
    const revisionOf = async (key: string): Promise<number> => {
      const kv = (await keysUnder(etcd, `/test/${ringName}/`)).find((one) => one.key === `/test/${ringName}/${key}`);
      return Number(kv?.mod_revision ?? -1);
    };
    return { store, other, gateway, revisionOf };
  }

  it('is a record of the ring that was made', async () => {
    const { store, gateway, revisionOf } = await stage();
    const claim = await take(store);
    gateway.next(TXN, LOST, 2);
    const first = await store.compareAndSave(null, stable, claim);
    expect(first).toBe(await revisionOf('ring'));
    gateway.next(TXN, LOST);
    const second = await store.compareAndSave(first, generation(2), claim);
    expect(second).toBe(await revisionOf('ring'));
    expect(await store.load()).toEqual({ revision: second, state: generation(2) });
  });

  it('is a record of the ring that was refused', async () => {
    const { store, other, gateway } = await stage();
    const claim = await take(store);
    const seen = await record(store, stable, claim);
    await record(other, generation(2), claim);
    gateway.next(TXN, LOST);
    expect(await store.compareAndSave(seen, generation(3), claim)).toBeNull();
    expect((await store.load())?.state.generation).toBe(2);
  });

  it('is a record of which nobody can say whether it was made, where others have been made since', async () => {
    const { store, other, gateway } = await stage();
    const claim = await take(store);
    const seen = await record(store, stable, claim);
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    // It was carried out; before it is asked again, another one has replaced it.
    gateway.next(TXN, { kind: 'lose' });
    gateway.next(TXN, { kind: 'late', after: gate });
    const outcome = store.compareAndSave(seen, generation(2), claim).then(
      (revision) => `said ${revision}`,
      (error) => error,
    );
    await gateway.called(TXN, gateway.calls.filter((call) => call === TXN).length + 2);
    await record(other, generation(3), claim);
    open();
    expect(await outcome).toMatchObject({ code: 'ETCD_UNREACHABLE', mayHaveHappened: true });
  });

  it('is not called refused when no try was answered: it may be carried out yet', async () => {
    const { store, gateway } = await stage();
    const claim = await take(store);
    const seen = await record(store, stable, claim);
    gateway.next(TXN, { kind: 'hang' }, 100);
    const outcome = store.compareAndSave(seen, generation(2), claim);
    await expect(outcome).rejects.toMatchObject({
      code: 'ETCD_UNREACHABLE',
      mayHaveHappened: true,
      message: expect.stringContaining(`${gateway.url}: no answer within`),
    });
    expect(store.isReachable).toBe(false);
  });

  it('is a claim, and another one’s', async () => {
    const { store, other, gateway, revisionOf } = await stage();
    gateway.next(TXN, LOST, 2);
    const claim = await store.claim('job', 'p1', 'quick');
    expect(claim?.revision).toBe(await revisionOf('jobs/job'));
    await other.claim('another', 'p2', 'quick');
    gateway.next(TXN, LOST);
    expect(await store.claim('another', 'p1', 'quick')).toBeNull();
  });

  it('is a registration', async () => {
    const { store, gateway, revisionOf } = await stage();
    const claim = await take(store);
    const seen = await record(store, stable, claim);
    gateway.next(TXN, LOST);
    expect(await store.register('p1', INFO, seen)).toBe(await revisionOf('members/p1'));
    const old = seen;
    await record(store, generation(2), claim);
    gateway.next(TXN, LOST);
    expect(await store.register('p2', INFO, old)).toBeNull();
    expect((await store.members()).map(({ id }) => id)).toEqual(['p1']);
  });

  it('is what a member says to a fence, or that it is fenced off', async () => {
    const { store, other, gateway, revisionOf } = await stage();
    await found(store);
    gateway.next(TXN, LOST);
    const answer = { revision: 7, acknowledged: true, why: '' };
    expect(await store.answer('p1', answer)).toBe(await revisionOf('members/p1'));
    expect((await store.members())[0]?.answer).toEqual(answer);
    await join(other, 'p2');
    gateway.next(TXN, LOST);
    expect(await store.fenceOff('p2')).toBe(false);
    await other.close();
    gateway.next(TXN, LOST);
    expect(await store.fenceOff('p2')).toBe(true);
    expect((await store.members()).find(({ id }) => id === 'p2')?.fencedOff).toBe(true);
  });

  it('is that a job was let go, and that a member was taken out', async () => {
    const { store, gateway } = await stage();
    await found(store);
    const claim = await take(store, 'job');
    gateway.next(TXN, LOST);
    await store.release(claim);
    expect(await store.claims()).toEqual([]);
    gateway.next(TXN, LOST);
    await store.deregister(['p1']);
    expect(await store.members()).toEqual([]);
  });

  it('is a lease: the renewal that follows counts', async () => {
    const { store, gateway } = await stage();
    gateway.next('/v3/lease/grant', LOST);
    gateway.next('/v3/lease/keepalive', LOST, 2);
    await found(store);
    expect(await store.isKnownMember('p1')).toBe(true);
  });
});
