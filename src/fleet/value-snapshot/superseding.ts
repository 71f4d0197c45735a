/**
 * Values of a file that are said once more, under other stamps.
 *
 * Some take the place of those of an older file, which others have read before they could know of this one: what was
 * deleted between the two is in the older one, and nobody remembers it. So everything of before counts as emptied (as by
 * FLUSHALL), and what the newer file has of before is said once more, as written right behind that.
 *
 * Others were written by a clock that was ahead, and has gone back since. No proxy would follow their stamps, so they count
 * as written now.
 *
 * All are changes like any other, which become the same everywhere whatever order they come by.
 */
import { compareStamps, type Stamp } from '../crdt/hybrid-clock.js';
import type { BatchRecord, FlushRecord, KeyRecord } from '../values/batch.js';
import { type Addition, isIn, KeyState } from '../values/key-state.js';

/** No clock counts so far within a millisecond. */
const BEHIND_ALL = 2 ** 40;

/** @param upTo milliseconds since 1970 */
export function emptied(database: number, upTo: number): FlushRecord {
  return { kind: 'flush', database, stamp: limitAt(upTo) };
}

/**
 * @param upTo milliseconds since 1970, as for `emptied`
 * @returns the same value; null: it held none
 */
export function saidOnceMore({ database, key, state }: KeyRecord, upTo: number): KeyRecord | null {
  const limit = limitAt(upTo);
  const isBefore = (stamp: Stamp): boolean => compareStamps(stamp, limit) <= 0;
  const newest = state.newest();
  if (newest === null || (isBefore(newest) && !state.isLive)) return null;
  return { kind: 'key', database, key, state: renewed(state, isBefore, upTo) };
}

/** @param now milliseconds since 1970 @returns the same; what was written later than now was written now */
export function saidNow(record: BatchRecord, now: number): BatchRecord {
  const limit = limitAt(now);
  const isAhead = (stamp: Stamp): boolean => compareStamps(stamp, limit) > 0;
  if (record.kind === 'flush') return isAhead(record.stamp) ? emptied(record.database, now) : record;
  const state = renewed(record.state, isAhead, now);
  // An end that no clock here has come to would not be followed either.
  if (state.expiry?.hasEnded === true) state.expiry = { ...state.expiry, at: Math.min(state.expiry.at, now) };
  return { kind: 'key', database: record.database, key: record.key, state };
}

/** @returns the same state; stamps of which that `isMeant` are such of `at` */
function renewed(state: KeyState, isMeant: (stamp: Stamp) => boolean, at: number): KeyState {
  // What has outlived a reset stays later than that, also where it stands in another record of the key.
  const renew = (stamp: Stamp, place: 1 | 2): Stamp => (isMeant(stamp) ? [at, BEHIND_ALL + place, stamp[2]] : stamp);
  const ofAddition = (addition: Addition): Addition[] => {
    const { actor } = addition;
    const added = addition.added !== null && isIn(addition) ? renew(addition.added, 2) : null;
    const removed = addition.removed === null || isMeant(addition.removed) ? null : addition.removed;
    return added === null && removed === null ? [] : [{ actor, added, removed }];
  };
  const said = new KeyState();
  said.reset = state.reset === null ? null : renew(state.reset, 1);
  said.base = state.base;
  if (state.expiry !== null) said.expiry = { ...state.expiry, stamp: renew(state.expiry.stamp, 2) };
  if (state.counts !== null) {
    said.counts = new Map();
    for (const [actor, count] of state.counts) said.counts.set(actor, { ...count, began: renew(count.began, 2) });
  }
  if (state.elements !== null) {
    said.elements = new Map();
    for (const [element, additions] of state.elements) {
      const kept = additions.flatMap(ofAddition);
      if (kept.length > 0) said.elements.set(element, kept);
    }
  }
  // What belongs together is counted where states are joined.
  const counted = new KeyState();
  counted.absorb(said);
  return counted;
}

function limitAt(upTo: number): Stamp {
  return [upTo, BEHIND_ALL, ''];
}
