/**
 * A machine's clock that was ahead by more than others follow, and has gone back. Stamps do not go back: for as long as the
 * clock was ahead, nobody would take what it has stamped, nor what is written from then on, and in the end it would win
 * over all that others have written since. So all processes of the machine make these stamps anew: those beyond a bound,
 * which others have not taken, come to lie close behind it, in the order that they had.
 *
 *   before   ──────────── bound ─────────────────────────────────── of the clock that was ahead ──
 *   now      ──────────── bound ── the same, a second long
 *
 * What was written by the clock that was ahead counts as written now, as after a restart.
 */
import type { HybridClock, Stamp } from '../crdt/hybrid-clock.js';
import type { BatchRecord } from './batch.js';
import { KeyState, NEVER } from './key-state.js';
import { stampOfEnd } from './read-state.js';

export interface Restamping {
  /** Stamps up to then stay. Milliseconds since 1970. */
  readonly bound: number;
  /** So many milliseconds of the clock that was ahead become one. */
  readonly step: number;
}

/** Others whose clocks differ from this one's by less have not taken what is beyond the bound. Milliseconds. */
const SKEW_MS = 2000;
/** What is made anew comes to lie in so many milliseconds. */
const ROOM_MS = 1000;
/** Stamps of one millisecond are numbered, and are fewer: the clock that went back was noticed soon. */
const COUNTS = 2 ** 20;

/** How stamps of this clock are made anew, which has gone back. */
export function restampingOf(clock: HybridClock): Restamping {
  const bound = clock.wall() + clock.mostDrift + SKEW_MS;
  return { bound, step: Math.max(1, Math.ceil((clock.newest - bound) / ROOM_MS)) };
}

/** @returns the same stamp up to the bound; of two others the later one is still the later one */
export function restamped(stamp: Stamp, { bound, step }: Restamping): Stamp {
  const [wall, count, actor] = stamp;
  const beyond = wall - bound - 1;
  if (beyond < 0) return stamp;
  return [bound + 1 + Math.floor(beyond / step), (beyond % step) * COUNTS + count, actor];
}

/** The record with its stamps made anew. */
export function restampedRecord(record: BatchRecord, how: Restamping): BatchRecord {
  if (record.kind === 'flush') return { ...record, stamp: restamped(record.stamp, how) };
  return { ...record, state: restampedState(record.state, how) };
}

/** @returns the state with its stamps made anew */
export function restampedState(state: KeyState, how: Restamping): KeyState {
  const anew = (stamp: Stamp): Stamp => restamped(stamp, how);
  const orNull = (stamp: Stamp | null): Stamp | null => (stamp === null ? null : anew(stamp));
  const said = new KeyState();
  said.reset = orNull(state.reset);
  said.base = state.base;
  if (state.expiry !== null) {
    const { stamp, at, hasEnded } = state.expiry;
    // The moment of an end that was seen is a stamp, too.
    const isMoment = hasEnded && at !== NEVER;
    const end = isMoment ? anew(stampOfEnd(state.expiry))[0] : at;
    said.expiry = { stamp: anew(stamp), at: isMoment ? Math.min(at, end) : at, hasEnded };
  }
  if (state.counts !== null) {
    said.counts = new Map();
    for (const [actor, count] of state.counts) said.counts.set(actor, { ...count, began: anew(count.began) });
  }
  if (state.elements !== null) {
    said.elements = new Map();
    for (const [element, additions] of state.elements) {
      const rows = additions.map(({ actor, added, removed }) => {
        return { actor, added: orNull(added), removed: orNull(removed) };
      });
      said.elements.set(element, rows);
    }
  }
  // What belongs together is counted where states are joined.
  const counted = new KeyState();
  counted.absorb(said);
  return counted;
}
