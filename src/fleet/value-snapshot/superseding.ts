/**
 * Values of a file that take the place of those of an older one, which others have read before they could know of it:
 * what was deleted between the two is in the older one, and nobody remembers it. So everything of before counts as
 * emptied (as by FLUSHALL), and what the newer file has of before is said once more, as written right behind that. Both
 * are changes like all others, which become the same everywhere whatever order they come by.
 */
import { compareStamps, type Stamp } from '../crdt/hybrid-clock.js';
import type { FlushRecord, KeyRecord } from '../values/batch.js';
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
  // What has outlived a reset stays later than that, also where it stands in another record of the key.
  const renewed = (stamp: Stamp, place: 1 | 2): Stamp =>
    isBefore(stamp) ? [upTo, BEHIND_ALL + place, stamp[2]] : stamp;
  const ofAddition = (addition: Addition): Addition[] => {
    const { actor } = addition;
    const added = addition.added !== null && isIn(addition) ? renewed(addition.added, 2) : null;
    const removed = addition.removed === null || isBefore(addition.removed) ? null : addition.removed;
    return added === null && removed === null ? [] : [{ actor, added, removed }];
  };
  const said = new KeyState();
  said.reset = state.reset === null ? null : renewed(state.reset, 1);
  said.base = state.base;
  if (state.expiry !== null) said.expiry = { stamp: renewed(state.expiry.stamp, 2), at: state.expiry.at };
  if (state.counts !== null) {
    said.counts = new Map();
    for (const [actor, count] of state.counts) said.counts.set(actor, { ...count, began: renewed(count.began, 2) });
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
  return { kind: 'key', database, key, state: counted };
}

function limitAt(upTo: number): Stamp {
  return [upTo, BEHIND_ALL, ''];
}
