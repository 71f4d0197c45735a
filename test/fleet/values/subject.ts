/** The value of a key as the tests of `fleet/crdt` see a type: states that are never changed, and random changes. */
import fc from 'fast-check';
import type { Stamp } from '../../../src/fleet/crdt/hybrid-clock.js';
import type { Lattice } from '../../../src/fleet/crdt/lattice.js';
import { BatchWriter, readBatch } from '../../../src/fleet/values/batch.js';
import { KeyState, NEVER } from '../../../src/fleet/values/key-state.js';
import { bulkOf, typeOf } from '../../../src/fleet/values/read-state.js';
import { bulk } from '../../../src/resp/encode.js';
import type { Subject } from '../crdt/subjects.js';

type Change =
  | { readonly kind: 'set'; readonly value: string; readonly at: number }
  | { readonly kind: 'delete' | 'end' }
  | { readonly kind: 'expire'; readonly at: number }
  | { readonly kind: 'count'; readonly by: number }
  | { readonly kind: 'add' | 'remove'; readonly element: string };

const at = fc.constantFrom(NEVER, 10, 20);
const element = fc.constantFrom('a', 'b', '__proto__');

export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), value: fc.constantFrom('7', 'x', ''), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'end' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), at }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('count' as const), by: fc.integer({ min: -9, max: 9 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('add' as const, 'remove' as const), element }) },
);

/** A state of its own, with its parts in the order of their names. */
function inOrder(state: KeyState): KeyState {
  const copy = new KeyState();
  const sorted = new KeyState();
  sorted.reset = state.reset;
  sorted.base = state.base;
  sorted.expiry = state.expiry;
  if (state.counts !== null) sorted.counts = new Map([...state.counts].sort(byName));
  if (state.elements !== null) sorted.elements = new Map([...state.elements].sort(byName));
  copy.absorb(sorted);
  return copy;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equal for equal states. */
export function textOf(state: KeyState): string {
  const writer = new BatchWriter();
  writer.key(0, 'k', inOrder(state));
  return writer.take().toString('hex');
}

const lattice: Lattice<KeyState> = {
  bottom: new KeyState(),
  join(a, b) {
    const joined = inOrder(a);
    if (!joined.absorb(b)) return a;
    const counted = inOrder(joined);
    // What is kept of it is what would be counted anew.
    if (joined.bytes !== counted.bytes || joined.members !== counted.members) throw new Error('counted wrongly');
    return joined;
  },
  encode: textOf,
  decode(value) {
    const [record] = typeof value === 'string' ? (readBatch(Buffer.from(value, 'hex')) ?? []) : [];
    return record?.kind === 'key' ? record.state : null;
  },
  visible: textOf,
  size: () => ({ entries: 0, tombstones: 0 }),
  length: () => 0,
  newest: (state) => state.newest(),
  prune: (state) => state,
};

/** What was written, as one delta. */
function deltaOf(state: KeyState, actor: string, made: Change, stamp: Stamp): KeyState {
  const sent = new KeyState();
  switch (made.kind) {
    case 'set':
    case 'delete':
      sent.reset = stamp;
      sent.base = made.kind === 'set' ? bulk(made.value) : null;
      sent.expiry = { stamp, at: made.kind === 'set' ? made.at : NEVER, hasEnded: false };
      break;
    case 'expire':
      sent.expiry = { stamp, at: made.at, hasEnded: false };
      break;
    case 'end':
      // Its time is over by somebody's clock.
      if (state.expiry !== null && state.expiry.at !== NEVER) sent.expiry = { ...state.expiry, hasEnded: true };
      break;
    case 'count': {
      const own = state.counts?.get(actor);
      const by = BigInt(made.by);
      const added = (own?.added ?? 0n) + (by > 0n ? by : 0n);
      const taken = (own?.taken ?? 0n) - (by < 0n ? by : 0n);
      sent.counts = new Map([[actor, { began: own?.began ?? stamp, added, taken }]]);
      break;
    }
    case 'add':
      sent.elements = new Map([[made.element, [{ actor, added: stamp, removed: null }]]]);
      break;
    case 'remove': {
      const seen = state.elements?.get(made.element) ?? [];
      sent.elements = new Map([
        [made.element, seen.map((row) => ({ actor: row.actor, added: null, removed: row.added ?? row.removed }))],
      ]);
    }
  }
  return inOrder(sent);
}

export const valueSubject: Subject<KeyState, Change> = {
  lattice,
  change,
  delta: deltaOf,
  value(state) {
    if (!state.isLive) return null;
    const value = typeOf(state) === 'string' ? bulkOf(state).toString() : [...state.present()].sort();
    return { value, ends: state.expiry?.at ?? NEVER };
  },
};
