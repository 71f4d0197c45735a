/** The types of src/fleet/crdt, each with random changes to it, for tests of what all of them promise. */
import fc from 'fast-check';
import {
  balanceOf,
  count,
  type GrowCounter,
  grow,
  growCounter,
  pnCounter,
  totalOf,
} from '../../../src/fleet/crdt/counters.js';
import type { Stamp } from '../../../src/fleet/crdt/hybrid-clock.js';
import type { Lattice } from '../../../src/fleet/crdt/lattice.js';
import { liveEntries, lwwMap, removeEntry, setEntry } from '../../../src/fleet/crdt/lww-map.js';
import { addTo, observedSet, removeFrom } from '../../../src/fleet/crdt/observed-set.js';
import { valueSubject } from '../values/subject.js';

export interface Subject<State, Change> {
  readonly lattice: Lattice<State>;
  readonly change: fc.Arbitrary<Change>;
  /** The delta of a change that this actor makes. @param at a stamp that nothing had before */
  delta(state: State, actor: string, change: Change, at: Stamp): State;
  /** What a user of it sees. */
  value(state: State): unknown;
}

const key = fc.constantFrom('a', 'b', 'c', '__proto__', '7');
const decodeNumber = (value: unknown): number | null => (typeof value === 'number' ? value : null);

type MapChange = { readonly key: string; readonly value: number | null };

const mapSubject: Subject<ReturnType<typeof setEntry<number>>, MapChange> = {
  lattice: lwwMap({ decode: decodeNumber }),
  change: fc.record({ key, value: fc.option(fc.integer(), { freq: 2 }) }),
  delta: (_state, _actor, change, at) =>
    change.value === null ? removeEntry(change.key, at) : setEntry(change.key, change.value, at),
  value: (state) => [...liveEntries(state)].map(([name, value]) => [name, value]).sort(),
};

const growSubject: Subject<GrowCounter, number> = {
  lattice: growCounter,
  change: fc.nat({ max: 9 }),
  delta: (state, actor, by) => grow(state, actor, by),
  value: totalOf,
};

const pnSubject: Subject<typeof pnCounter.bottom, number> = {
  lattice: pnCounter,
  change: fc.integer({ min: -9, max: 9 }),
  delta: (state, actor, by) => count(state, actor, by),
  value: balanceOf,
};

const setSubject: Subject<typeof observedSet.bottom, { readonly element: string; readonly adds: boolean }> = {
  lattice: observedSet,
  change: fc.record({ element: key, adds: fc.boolean() }),
  delta: (state, actor, { element, adds }) => (adds ? addTo(state, element, actor) : removeFrom(state, element)),
  value: (state) => [...state.dots.keys()].sort(),
};

/** Runs the same test with every type. */
export function forEachSubject(test: <State, Change>(name: string, subject: Subject<State, Change>) => void): void {
  test('a map in which the later write counts', mapSubject);
  test('a counter that grows', growSubject);
  test('a counter up and down', pnSubject);
  test('a set', setSubject);
  test('the value of a key', valueSubject);
}
