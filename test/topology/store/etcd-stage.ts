/** What tests of the store in etcd begin with. */
import type { Claim, MemberInfo } from '../../../src/topology/state/fleet.js';
import { firstState, nextMembers, type RingState } from '../../../src/topology/state/ring-state.js';
import { prepare } from '../../../src/topology/state/transitions.js';
import { COORDINATOR, type RingStore, type StoreEvent } from '../../../src/topology/store/ring-store.js';

export const INFO: MemberInfo = {
  admin: 'http://10.0.0.1:6390',
  version: '1.0.0',
  workers: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
  format: 1,
};

export const stable: RingState = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 2 }], {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '',
  vnodes: 160,
  weighting: 'own',
});

export const preparing: RingState = prepare(stable, {
  id: 'c',
  kind: 'add',
  members: nextMembers(stable, { add: [{ name: 'b', address: '127.0.0.1:2', weight: 1 }] }),
  startedAt: '2026-01-01T00:00:00.000Z',
  summary: 'add b',
  undrained: [],
  processes: [],
});

/** The stable ring, in a later generation. */
export function generation(number: number): RingState {
  return { ...stable, generation: number };
}

/** @throws Error when another one has it */
export async function take(store: RingStore, job = COORDINATOR, holder = 'p1'): Promise<Claim> {
  const claim = await store.claim(job, holder, 'quick');
  if (claim === null) throw new Error('another one has it');
  return claim;
}

/** Records it. @throws Error when it is refused */
export async function record(store: RingStore, state: RingState, claim: Claim): Promise<number> {
  const seen = (await store.load())?.revision ?? null;
  const revision = await store.compareAndSave(seen, state, claim);
  if (revision === null) throw new Error('refused');
  return revision;
}

/** A ring that has one member. @returns its revision */
export async function found(store: RingStore, id = 'p1'): Promise<number> {
  const claim = await take(store, COORDINATOR, id);
  const seen = await record(store, stable, claim);
  if ((await store.register(id, INFO, seen)) === null) throw new Error('refused');
  await store.release(claim);
  return seen;
}

/** Joins a ring. @throws Error when it is refused */
export async function join(store: RingStore, id: string): Promise<number> {
  const seen = (await store.load())?.revision ?? -1;
  const revision = await store.register(id, INFO, seen);
  if (revision === null) throw new Error('refused');
  return revision;
}

export interface Heard {
  readonly events: StoreEvent[];
  /** Generations of the rings that were told. */
  readonly generations: () => number[];
  count(kind: StoreEvent['kind']): number;
}

export function hear(store: RingStore): Heard {
  const events: StoreEvent[] = [];
  store.watch((event) => events.push(event));
  return {
    events,
    generations: () => events.flatMap((event) => (event.kind === 'ring' ? [event.ring.state.generation] : [])),
    count: (kind) => events.filter((event) => event.kind === kind).length,
  };
}
