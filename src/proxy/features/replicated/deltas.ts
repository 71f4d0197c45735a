/** What the operations write: the delta of each, with stamps of the store's clock. */

import type { HybridClock, Stamp } from '../../../fleet/crdt/hybrid-clock.js';
import { type Addition, KeyState, NEVER } from '../../../fleet/values/key-state.js';
import { stampOfEnd, textReply } from '../../../fleet/values/read-state.js';

/** SET. @param value is copied @param at when it ends; NEVER */
export function setting(clock: HybridClock, value: Uint8Array, at: number): KeyState {
  return resetting(clock.next(), textReply(value), at);
}

/** DEL: everything that is known of the key is gone. */
export function deletion(clock: HybridClock): KeyState {
  return resetting(clock.next(), null, NEVER);
}

function resetting(stamp: Stamp, base: Buffer | null, at: number): KeyState {
  const delta = new KeyState();
  const sent = new KeyState();
  sent.reset = stamp;
  sent.base = base;
  sent.expiry = { stamp, at, hasEnded: false };
  delta.absorb(sent);
  return delta;
}

/** EXPIRE, and with NEVER PERSIST. */
export function expiring(clock: HybridClock, at: number): KeyState {
  const delta = new KeyState();
  delta.expiry = { stamp: clock.next(), at, hasEnded: false };
  return delta;
}

/**
 * INCR and its like. @param actor who counts @param known null: nothing is known of the key
 * @param by may be negative
 */
export function counting(clock: HybridClock, actor: string, known: KeyState | null, by: bigint): KeyState {
  const own = known?.isLive === true ? known.counts?.get(actor) : undefined;
  const began = own?.began ?? clock.next();
  const added = (own?.added ?? 0n) + (by > 0n ? by : 0n);
  const taken = (own?.taken ?? 0n) - (by < 0n ? by : 0n);
  const delta = new KeyState();
  delta.absorb(fresh(known, clock));
  const sent = new KeyState();
  sent.counts = new Map([[actor, { began, added, taken }]]);
  delta.absorb(sent);
  return delta;
}

/** SADD of these elements. */
export function adding(
  clock: HybridClock,
  actor: string,
  known: KeyState | null,
  elements: Iterable<string>,
): KeyState {
  const delta = fresh(known, clock);
  const sent = new KeyState();
  sent.elements = new Map();
  for (const element of elements) sent.elements.set(element, [{ actor, added: clock.next(), removed: null }]);
  delta.absorb(sent);
  return delta;
}

/** SREM of these elements, as far as additions of them were seen. */
export function removing(known: KeyState, elements: Iterable<string>): KeyState {
  const sent = new KeyState();
  sent.elements = new Map();
  for (const element of elements) {
    const additions = known.elements?.get(element);
    if (additions !== undefined) sent.elements.set(element, additions.map(removed));
  }
  const delta = new KeyState();
  delta.absorb(sent);
  return delta;
}

function removed({ actor, added, removed: before }: Addition): Addition {
  return { actor, added: null, removed: added ?? before };
}

/**
 * A key that holds no value: what is written to it has nothing of what it was before, neither a time to live nor, where
 * others have not heard of its end, a value.
 */
function fresh(known: KeyState | null, clock: HybridClock): KeyState {
  const delta = new KeyState();
  if (known === null || known.isLive) return delta;
  const sent = new KeyState();
  const { expiry } = known;
  sent.reset = known.reset;
  if (expiry !== null) {
    if (expiry.hasEnded) sent.reset = stampOfEnd(expiry);
    sent.expiry = expiry.at === NEVER ? expiry : { stamp: clock.next(), at: NEVER, hasEnded: false };
  }
  delta.absorb(sent);
  return delta;
}
