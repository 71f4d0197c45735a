/**
 * State that several replicas change at the same time without asking each other, and that becomes the same everywhere
 * whatever order it comes by: a join semilattice. What is sent is a delta, a small state that is joined as a whole one is
 * (P. S. Almeida, A. Shoker, C. Baquero: "Delta State Replicated Data Types", 2018).
 *
 * Everything in this folder is pure: a state is never changed, and a mutator gives the delta that is to be joined.
 */

import type { Stamp } from './hybrid-clock.js';

/** What may be sent. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Size {
  readonly entries: number;
  /** What is kept only so that something removed does not come back. */
  readonly tombstones: number;
}

/** @typeParam State immutable */
export interface Lattice<State> {
  /** The least state: joined with anything it changes nothing. */
  readonly bottom: State;
  /**
   * The least state that is not below either: commutative, associative, idempotent.
   * @returns `a` itself when `b` adds nothing to it
   */
  join(a: State, b: State): State;
  /** For sending. Equal states give equal texts. */
  encode(state: State): Json;
  /** @param value from a peer: anything may be in it @returns null when it is no state */
  decode(value: unknown): State | null;
  /** What counts when replicas are compared: without tombstones, which each replica drops when it likes. */
  visible(state: State): Json;
  size(state: State): Size;
  /** Entries and tombstones together, without counting them. */
  length(state: State): number;
  /** The latest of its stamps; null: it has none. */
  newest(state: State): Stamp | null;
  /** Without tombstones of before. @param before milliseconds since 1970 */
  prune(state: State, before: number): State;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it counts something: not negative, and exact. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The entries in the order of their keys, so that equal maps look equal; the order is that of UTF-16 code units. */
export function inOrder<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
