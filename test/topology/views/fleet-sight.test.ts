/** What is seen of a fleet is what the store says, whenever it tells of something new. */
import { describe, expect, it } from 'vitest';
import { LocalStore } from '../../../src/topology/store/local-store.js';
import type { StoreEvent } from '../../../src/topology/store/ring-store.js';
import { FleetSight, type SeenFleet } from '../../../src/topology/views/fleet-sight.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { member, ring } from './seen-fleet.js';

interface Stage {
  readonly sight: FleetSight;
  readonly seen: SeenFleet[];
  readonly records: number[];
  readonly timers: ManualTimers;
}

function stage(store: ConstructorParameters<typeof FleetSight>[0]['store'], now = (): number => 0): Stage {
  const seen: SeenFleet[] = [];
  const records: number[] = [];
  const timers = new ManualTimers();
  const sight = new FleetSight({
    store,
    self: () => 'a',
    monotonicNow: now,
    timers,
    onRecord: ({ revision }) => records.push(revision),
    onSeen: (fleet) => seen.push(fleet),
  });
  return { sight, seen, records, timers };
}

describe('the sight of a fleet', () => {
  it('has what a store tells: the ring, members, claims', async () => {
    const store = new LocalStore('a', null);
    const { sight, seen, records } = stage(store);
    await sight.open(null);
    expect(sight.now).toMatchObject({ ring: null, members: [], claims: [], leaseLeft: Number.POSITIVE_INFINITY });
    const claim = await store.claim('coordinator', 'a', 'quick');
    if (claim === null) throw new Error('nobody else wants it');
    const { state } = ring(0);
    const revision = await store.compareAndSave(null, state, claim);
    await store.register('a', member('a').info ?? fail(), revision ?? 0);
    await expect.poll(() => sight.now.members.map(({ id }) => id)).toEqual(['a']);
    expect(sight.now).toMatchObject({ ring: { revision, state }, claims: [claim], consistency: 'strict' });
    expect(records).toEqual([revision]);
    const told = seen.length;
    sight.close();
    await store.release(claim);
    expect(seen.length).toBe(told);
  });

  it('reads once more for what is told while it reads, however much that is', async () => {
    let listener: (event: StoreEvent) => void = () => {};
    let reads = 0;
    const answers: (() => void)[] = [];
    const { sight, seen } = stage({
      load: async () => null,
      watch: (given) => {
        listener = given;
        return () => {};
      },
      members: () => {
        reads++;
        const members = [member(`read ${reads}`)];
        return new Promise((resolve) => answers.push(() => resolve(members)));
      },
      claims: async () => [],
      validUntil: 0,
      isReachable: true,
    });
    const opened = sight.open(null);
    await expect.poll(() => reads).toBe(1);
    for (let i = 0; i < 50; i++) listener({ kind: 'members', revision: i });
    expect(reads).toBe(1);
    answers.shift()?.();
    await expect.poll(() => reads).toBe(2);
    answers.shift()?.();
    await opened;
    expect(reads).toBe(2);
    expect(seen.map(({ members }) => members[0]?.id)).toEqual(['read 1', 'read 2']);
  });

  it('is open at once where a ring is served without the store', async () => {
    const never = new Promise<never>(() => {});
    const store = { load: () => never, watch: () => () => {}, members: () => never, claims: () => never };
    const { sight, records } = stage({ ...store, validUntil: 0, isReachable: false });
    const known = ring(7);
    await sight.open({ ...known, state: { ...known.state, consistency: 'available' } });
    expect(sight.now).toMatchObject({ ring: { revision: known.revision }, consistency: 'available', members: [] });
    expect(records).toEqual([known.revision]);
  });

  it('keeps what it has seen while the store is out of reach, and sees a lease run out of which nobody tells', async () => {
    let isReachable = true;
    let clock = 0;
    let listener: (event: StoreEvent) => void = () => {};
    const store = {
      load: async () => ring(7),
      watch: (given: (event: StoreEvent) => void) => {
        listener = given;
        return () => {};
      },
      members: async () => {
        if (!isReachable) throw new Error('out of reach');
        return [member('a')];
      },
      claims: async () => [],
      validUntil: 1500,
      get isReachable() {
        return isReachable;
      },
    };
    const { sight, seen, timers } = stage(store, () => clock);
    await sight.open(null);
    isReachable = false;
    listener({ kind: 'members', revision: 1 });
    await expect.poll(() => seen.at(-1)).toMatchObject({ isReachable: false, members: [{ id: 'a' }], leaseLeft: 1500 });
    clock = 1000;
    timers.advance(1000);
    clock = 2000;
    timers.advance(1000);
    expect(seen.slice(-2).map(({ leaseLeft }) => leaseLeft)).toEqual([500, 0]);
    sight.close();
    expect(timers.pending).toBe(0);
  });
});

function fail(): never {
  throw new Error('a member that registers tells of itself');
}
