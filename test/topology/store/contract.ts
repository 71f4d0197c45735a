/**
 * What every store of a ring keeps to, whatever it is made of. A suite calls `describeRingStore` with a place of its own
 * kind; nothing here knows which.
 */
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../../src/admin/api.js';
import { monotonicNow } from '../../../src/time/monotonic.js';
import type { Claim, MemberInfo, MoveRecord } from '../../../src/topology/state/fleet.js';
import { firstState, nextMembers, type RingState } from '../../../src/topology/state/ring-state.js';
import { afterEverybodyIsGone, move, prepare, turn } from '../../../src/topology/state/transitions.js';
import { COORDINATOR, moverJob, type RingStore, type StoreEvent } from '../../../src/topology/store/ring-store.js';

const INFO: MemberInfo = { admin: '', version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };

/** Where one ring is kept. */
export interface Place<Store extends RingStore = RingStore> {
  /**
   * A store at this place, opened as a proxy does when it starts; closed at the test's end, unless the test does so.
   * The one before may have been closed, or left as by `kill -9`.
   */
  open(proxyId: string): Promise<Store>;
  /** Ends the proxy that has it open, as `kill -9` does. When this returns, its leases have run out. */
  kill(store: RingStore): Promise<void>;
}

const options = { hash: 'murmur3', distribution: 'ketama', hashTag: '', vnodes: 160, weighting: 'own' } as const;
const stable: RingState = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 2 }], options);
const preparing: RingState = prepare(stable, {
  id: 'c',
  kind: 'add',
  members: nextMembers(stable, { add: [{ name: 'b', address: '127.0.0.1:2', weight: 1 }] }),
  startedAt: '2026-01-01T00:00:00.000Z',
  summary: 'add b',
  undrained: [],
  processes: [],
  throttle: 0,
  keysDropped: 0,
});
const moving: RingState = move(preparing, [{ name: 'a', address: '127.0.0.1:1', runId: 'r' }]);

/** Claims the right to decide. @throws Error when another one has it */
async function elect(store: RingStore, holder = 'p1'): Promise<Claim> {
  const claim = await store.claim(COORDINATOR, holder, 'quick');
  if (claim === null) throw new Error('another one is elected');
  return claim;
}

/** Records these one after the other. @returns the last revision */
async function save(store: RingStore, claim: Claim, ...states: readonly RingState[]): Promise<number> {
  let last = -1;
  for (const state of states) {
    const seen = (await store.load())?.revision ?? null;
    const revision = await store.compareAndSave(seen, state, claim);
    if (revision === null) throw new Error('refused');
    expect(revision).toBeGreaterThan(last);
    last = revision;
  }
  return last;
}

function ended(generation: number): HistoryEntry {
  const at = new Date(generation * 1000).toISOString();
  const [keysMoved, bytesMoved, keysDropped, durationSeconds] = [1, 2, 0, 3];
  const counted = { keysMoved, bytesMoved, keysDropped, durationSeconds };
  return {
    id: `${generation}`,
    kind: 'add',
    generation,
    startedAt: at,
    finishedAt: at,
    by: 'p1',
    who: null,
    summary: 's',
    ...counted,
  };
}

function far(source: string, keysMoved: number, swept = false): MoveRecord {
  const counted = { keysMoved, keysScanned: keysMoved * 2, bytesMoved: 3, keysDropped: 0 };
  const processes = [{ name: source, address: '127.0.0.1:1', runId: 'r' }];
  return { source, swept, ...counted, largeKey: { key: 'k\n', bytes: 9 }, processes, error: null, paused: true };
}

/** Claims a job. @throws Error when another one has it */
async function take(store: RingStore, job: string, holder = 'p1'): Promise<Claim> {
  const claim = await store.claim(job, holder, 'quick');
  if (claim === null) throw new Error('another one has it');
  return claim;
}

/** What is told of one kind from now on. */
function heard(store: RingStore, kind: StoreEvent['kind']): StoreEvent[] {
  const told: StoreEvent[] = [];
  store.watch((event) => {
    if (event.kind === kind) told.push(event);
  });
  return told;
}

/** @param create makes a place where nothing is kept yet */
export function describeRingStore(name: string, create: () => Promise<Place>): void {
  describe(`${name} keeps the ring`, () => {
    it('of which there is none at first', async () => {
      const store = await (await create()).open('p1');
      expect(await store.load()).toBeNull();
    });

    it('as it was recorded last', async () => {
      const store = await (await create()).open('p1');
      const claim = await elect(store);
      const revision = await save(store, claim, stable, preparing, moving);
      expect(await store.load()).toEqual({ revision, state: moving });
    });

    it.each([
      ['closed', moving],
      ['killed', moving],
      ['closed', turn(moving)],
      ['killed', turn(moving)],
      ['killed', preparing],
    ] as const)(
      'over a restart of a proxy that was %s, at least as a restart of everybody leaves it (%#)',
      async (end, state) => {
        const place = await create();
        const first = await place.open('p1');
        const steps = state === preparing ? [stable, preparing] : [stable, preparing, moving, state];
        const revision = await save(first, await elect(first), ...steps);
        await (end === 'closed' ? first.close() : place.kill(first));
        const kept = await (await place.open('p2')).load();
        expect([state, afterEverybodyIsGone(state)]).toContainEqual(kept?.state);
        expect(kept?.revision).toBeLessThanOrEqual(revision);
      },
    );

    it('against writers that have not seen it as it is', async () => {
      const store = await (await create()).open('p1');
      const claim = await elect(store);
      expect(await store.compareAndSave(1, stable, claim)).toBeNull();
      const first = await save(store, claim, stable);
      expect(await store.compareAndSave(null, preparing, claim)).toBeNull();
      await save(store, claim, preparing);
      expect(await store.compareAndSave(first, stable, claim)).toBeNull();
      expect((await store.load())?.state).toEqual(preparing);
    });

    it('against writers whose claim is not in force any more', async () => {
      const store = await (await create()).open('p1');
      const old = await elect(store);
      const seen = await save(store, old, stable);
      const claim = await elect(store);
      expect(await store.compareAndSave(seen, preparing, old)).toBeNull();
      await store.release(claim);
      expect(await store.compareAndSave(seen, preparing, claim)).toBeNull();
      expect((await store.load())?.state).toEqual(stable);
      await save(store, await elect(store), preparing);
    });

    it('so that of writers at the same time one is the first', async () => {
      const store = await (await create()).open('p1');
      const claim = await elect(store);
      await save(store, claim, stable);
      const [writers, each] = [8, 5];
      await Promise.all(
        Array.from({ length: writers }, async () => {
          for (let written = 0; written < each; ) {
            const seen = await store.load();
            if (seen === null) throw new Error('there is none');
            const next = { ...seen.state, generation: seen.state.generation + 1 };
            if ((await store.compareAndSave(seen.revision, next, claim)) !== null) written++;
          }
        }),
      );
      expect((await store.load())?.state.generation).toBe(1 + writers * each);
    });

    it('and tells everybody who watches what is recorded, once and in order', async () => {
      const store = await (await create()).open('p1');
      const claim = await elect(store);
      await save(store, claim, stable);
      const told: StoreEvent[] = [];
      const end = store.watch((event) => told.push(event));
      const revision = await save(store, claim, preparing, moving);
      const rings = (): unknown[] => told.flatMap((event) => (event.kind === 'ring' ? [event.ring.state] : []));
      await expect.poll(rings).toEqual([preparing, moving]);
      expect(told.at(-1)).toEqual({ kind: 'ring', ring: { revision, state: moving } });
      end();
      await save(store, claim, stable);
      expect(rings()).toEqual([preparing, moving]);
    });

    it('and can be asked whether a record could be made', async () => {
      const store = await (await create()).open('p1');
      const seen = await save(store, await elect(store), stable);
      await store.rehearse(moving);
      expect(await store.load()).toEqual({ revision: seen, state: stable });
    });
  });

  describe(`${name} knows the members`, () => {
    it('that have seen the ring as it is', async () => {
      const store = await (await create()).open('p1');
      expect(await store.register('p1', INFO, 1)).toBeNull();
      const claim = await elect(store);
      const old = await save(store, claim, stable);
      const seen = await save(store, claim, preparing);
      // It would begin in a phase that is over, past the fence.
      expect(await store.register('p1', INFO, old)).toBeNull();
      expect(await store.members()).toEqual([]);
      expect(await store.register('p1', INFO, seen)).toBeGreaterThan(seen);
      expect(await store.members()).toEqual([{ id: 'p1', alive: true, fencedOff: false, answer: null, info: INFO }]);
    });

    it('also those that are gone, until they are taken out', async () => {
      const place = await create();
      const first = await place.open('p1');
      await first.register('p1', INFO, await save(first, await elect(first), stable));
      await place.kill(first);
      const second = await place.open('p2');
      const seen = (await second.load())?.revision ?? -1;
      await second.register('p2', INFO, seen);
      const members = await second.members();
      expect(members.map(({ id, alive }) => [id, alive])).toEqual([
        ['p1', false],
        ['p2', true],
      ]);
      expect(await second.fenceOff('p1')).toBe(true);
      expect((await second.members()).map(({ fencedOff }) => fencedOff)).toEqual([true, false]);
      await second.deregister(['p1', 'nobody']);
      expect((await second.members()).map(({ id }) => id)).toEqual(['p2']);
    });

    it('and what each has answered last', async () => {
      const store = await (await create()).open('p1');
      const seen = await save(store, await elect(store), stable);
      expect(await store.answer('p1', { revision: seen, acknowledged: true, why: '' })).toBeNull();
      await store.register('p1', INFO, seen);
      const told: StoreEvent[] = [];
      store.watch((event) => told.push(event));
      await store.answer('p1', { revision: seen, acknowledged: false, why: 'a client' });
      await store.answer('p1', { revision: seen, acknowledged: true, why: '' });
      expect((await store.members())[0]?.answer).toEqual({ revision: seen, acknowledged: true, why: '' });
      await expect.poll(() => told.map(({ kind }) => kind)).toContain('members');
    });

    it('of whom none that is alive can be fenced off, and nobody is who is none', async () => {
      const store = await (await create()).open('p1');
      await store.register('p1', INFO, await save(store, await elect(store), stable));
      expect(await store.fenceOff('p1')).toBe(false);
      expect(await store.fenceOff('nobody')).toBe(false);
      expect((await store.members())[0]?.fencedOff).toBe(false);
    });

    it('of whom one registers again as often as it likes, and has answered nothing then', async () => {
      const store = await (await create()).open('p1');
      const seen = await save(store, await elect(store), stable);
      await store.register('p1', INFO, seen);
      await store.answer('p1', { revision: seen, acknowledged: true, why: '' });
      const again = { ...INFO, version: '1.0.1', workers: 4 };
      expect(await store.register('p1', again, seen)).toBeGreaterThan(seen);
      expect(await store.members()).toEqual([{ id: 'p1', alive: true, fencedOff: false, answer: null, info: again }]);
    });

    it('of whom one that is fenced off is never registered again by its id, but by another one', async () => {
      const place = await create();
      const first = await place.open('p1');
      await first.register('p1', INFO, await save(first, await elect(first), stable));
      await place.kill(first);
      const second = await place.open('p2');
      const seen = (await second.load())?.revision ?? -1;
      await second.fenceOff('p1');
      expect(await second.register('p1', INFO, seen)).toBeNull();
      expect(await second.members()).toMatchObject([{ id: 'p1', alive: false, fencedOff: true }]);
      expect(await second.register('p1-again', INFO, seen)).toBeGreaterThan(seen);
      expect((await second.members()).map(({ id, alive }) => [id, alive])).toEqual([
        ['p1', false],
        ['p1-again', true],
      ]);
    });

    it('and says of each whether it may speak to nodes, by a read that is not stale', async () => {
      const place = await create();
      const first = await place.open('p1');
      // Where there is no ring, there is nobody who could have passed it.
      expect(await first.isKnownMember('p1')).not.toBe(true);
      await first.register('p1', INFO, await save(first, await elect(first), stable));
      expect(await first.isKnownMember('p1')).toBe(true);
      await place.kill(first);
      const second = await place.open('p2');
      await second.load();
      await second.fenceOff('p1');
      expect(await second.isKnownMember('p1')).toBe(false);
      await second.deregister(['p1']);
      expect(await second.isKnownMember('p1')).toBe(false);
    });

    it('and knows for how long its own may speak to nodes without asking', async () => {
      const store = await (await create()).open('p1');
      expect(store.isReachable).toBe(true);
      await store.register('p1', INFO, await save(store, await elect(store), stable));
      expect(store.validUntil).toBeGreaterThan(monotonicNow());
    });

    it('of whom one that leaves is none any more', async () => {
      const store = await (await create()).open('p1');
      await store.register('p1', INFO, await save(store, await elect(store), stable));
      await store.deregister(['p1']);
      expect(await store.members()).toEqual([]);
      expect(await store.answer('p1', { revision: 1, acknowledged: true, why: '' })).toBeNull();
    });

    it('so that none slips past a record that is written at the same instant', async () => {
      const store = await (await create()).open('p1');
      const claim = await elect(store);
      let seen = await save(store, claim, stable);
      for (let round = 0; round < 10; round++) {
        const next = { ...stable, generation: round + 2 };
        const id = `m${round}`;
        const [written, registered] = await Promise.all([
          store.compareAndSave(seen, next, claim),
          store.register(id, INFO, seen),
        ]);
        // Whichever was first: the one that has recorded knows of everybody who was registered before.
        const members = (await store.members()).map((member) => member.id);
        expect(members.includes(id)).toBe(registered !== null);
        expect(registered === null || (written ?? 0) > registered).toBe(true);
        seen = written ?? seen;
        await store.deregister([id]);
      }
    });

    it('of whom one that is fenced off says nothing any more', async () => {
      const place = await create();
      const first = await place.open('p1');
      await first.register('p1', INFO, await save(first, await elect(first), stable));
      await place.kill(first);
      const second = await place.open('p2');
      await second.load();
      await second.fenceOff('p1');
      expect(await second.answer('p1', { revision: 1, acknowledged: true, why: '' })).toBeNull();
      expect((await second.members())[0]?.answer).toBeNull();
    });
  });

  describe(`${name} gives each job to one`, () => {
    it('until it is let go', async () => {
      const store = await (await create()).open('p1');
      const claim = await store.claim('job', 'p1', 'quick');
      expect(claim).toMatchObject({ job: 'job', holder: 'p1' });
      expect(await store.claim('job', 'p2', 'quick')).toBeNull();
      expect(await store.claim('other', 'p2', 'quick')).toMatchObject({ holder: 'p2' });
      expect((await store.claims()).map(({ job }) => job).sort()).toEqual(['job', 'other']);
      if (claim !== null) await store.release(claim);
      const next = await store.claim('job', 'p2', 'quick');
      expect(next?.revision).toBeGreaterThan(claim?.revision ?? Number.POSITIVE_INFINITY);
    });

    it('and of two claims of one holder only the later one is in force', async () => {
      const store = await (await create()).open('p1');
      const [old, claim] = [await store.claim('job', 'p1', 'quick'), await store.claim('job', 'p1', 'quick')];
      if (old === null || claim === null) throw new Error('refused');
      expect(claim.revision).toBeGreaterThan(old.revision);
      await store.release(old);
      expect(await store.claims()).toEqual([claim]);
      expect(await store.claim('job', 'p2', 'quick')).toBeNull();
    });

    it('whatever its pace, and of those who ask at the same instant to one', async () => {
      const store = await (await create()).open('p1');
      await store.register('p1', INFO, await save(store, await elect(store), stable));
      for (const pace of ['quick', 'slow'] as const) {
        const job = `job/${pace}`;
        const holders = ['p1', 'p2', 'p3', 'p4', 'p5'];
        const claims = await Promise.all(holders.map((holder) => store.claim(job, holder, pace)));
        const [claim, ...others] = claims.filter((one) => one !== null);
        expect(others).toEqual([]);
        expect((await store.claims()).find((one) => one.job === job)).toEqual(claim);
        if (claim === undefined) throw new Error('nobody has it');
        await store.release(claim);
        expect((await store.claims()).find((one) => one.job === job)).toBeUndefined();
      }
    });

    it('and tells everybody who watches that it was taken, and let go', async () => {
      const store = await (await create()).open('p1');
      const told = heard(store, 'claims');
      const claim = await take(store, 'job');
      await expect.poll(() => told.length).toBe(1);
      expect(told[0]).toEqual({ kind: 'claims', revision: claim.revision });
      await store.release(claim);
      await expect.poll(() => told.length).toBe(2);
    });

    it('whatever its name is', async () => {
      const store = await (await create()).open('p1');
      const names = ['mover/a', 'mover/a/b', 'mover/a:1', 'mover/ä %2F', 'mover/', 'coordinators', 'jobs/coordinator'];
      for (const name of names) await take(store, name);
      expect((await store.claims()).map(({ job }) => job).sort()).toEqual([...names].sort());
      for (const name of names) expect(await store.claim(name, 'p2', 'quick')).toBeNull();
    });

    it('until its holder is gone, and then by a newer claim', async () => {
      const place = await create();
      const first = await place.open('p1');
      await save(first, await elect(first), stable);
      let last = await first.claim('job', 'p1', 'quick');
      for (let again = 0; again < 50; again++) last = await first.claim('job', 'p1', 'quick');
      await place.kill(first);
      const second = await place.open('p2');
      await second.load();
      expect(await second.claims()).toEqual([]);
      const claim = await second.claim('job', 'p2', 'quick');
      expect(claim?.revision).toBeGreaterThan(last?.revision ?? Number.POSITIVE_INFINITY);
    });
  });

  describe(`${name} keeps how far each source is`, () => {
    it('as its mover has said last, and tells everybody who watches', async () => {
      const store = await (await create()).open('p1');
      await save(store, await elect(store), stable, preparing, moving);
      const told = heard(store, 'moves');
      const claim = await take(store, moverJob('a'));
      expect(await store.moves('c')).toEqual([]);
      expect(await store.noteMove('c', far('a', 1), claim)).toBeGreaterThan(claim.revision);
      await store.noteMove('c', far('a', 2, true), claim);
      await store.noteMove('c', far('b/ä', 1), await take(store, moverJob('b/ä')));
      expect([...(await store.moves('c'))].sort((a, b) => (a.source < b.source ? -1 : 1))).toEqual([
        far('a', 2, true),
        far('b/ä', 1),
      ]);
      await expect.poll(() => told.length).toBe(3);
    });

    it('against a mover whose claim is not in force any more', async () => {
      const store = await (await create()).open('p1');
      const old = await take(store, moverJob('a'));
      const claim = await take(store, moverJob('a'));
      expect(await store.noteMove('c', far('a', 1), old)).toBeNull();
      await store.noteMove('c', far('a', 2), claim);
      await store.release(claim);
      expect(await store.noteMove('c', far('a', 3), claim)).toBeNull();
      expect(await store.moves('c')).toEqual([far('a', 2)]);
    });

    it('for as long as its change is the one that is recorded', async () => {
      const store = await (await create()).open('p1');
      const claim = await elect(store);
      await save(store, claim, stable, preparing, moving);
      await store.noteMove('c', far('a', 1), await take(store, moverJob('a')));
      await save(store, claim, { ...moving, generation: 9 });
      expect(await store.moves('c')).toEqual([far('a', 1)]);
      const other: RingState = { ...moving, ...(moving.change && { change: { ...moving.change, id: 'd' } }) };
      await save(store, claim, other);
      expect(await store.moves('c')).toEqual([]);
      await store.noteMove('d', far('a', 5), await take(store, moverJob('a')));
      await save(store, claim, stable);
      expect(await store.moves('d')).toEqual([]);
    });
  });

  describe(`${name} keeps the history`, () => {
    it('in order, over restarts', async () => {
      const place = await create();
      const first = await place.open('p1');
      await first.load();
      await first.addHistory(ended(1));
      await first.addHistory(ended(2));
      await place.kill(first);
      const second = await place.open('p2');
      await second.load();
      await second.addHistory(ended(3));
      expect(await second.history()).toEqual([ended(1), ended(2), ended(3)]);
    });

    it('of the last thousand changes', { timeout: 60_000 }, async () => {
      const store = await (await create()).open('p1');
      await store.load();
      for (let generation = 1; generation <= 1003; generation++) await store.addHistory(ended(generation));
      const kept = await store.history();
      expect([kept.length, kept[0]?.generation, kept.at(-1)?.generation]).toEqual([1000, 4, 1003]);
    });
  });
}
