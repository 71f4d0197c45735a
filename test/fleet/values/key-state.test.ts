/** Of two values under one stamp, which nobody makes who keeps the rules, all processes take the same one. */
import { expect, it } from 'vitest';
import type { Stamp } from '../../../src/fleet/crdt/hybrid-clock.js';
import { KeyState } from '../../../src/fleet/values/key-state.js';

const STAMP: Stamp = [1, 0, 'a'];

function resetTo(base: string | null): KeyState {
  const state = new KeyState();
  state.reset = STAMP;
  state.base = base === null ? null : Buffer.from(base);
  return state;
}

it.each([
  ['$1\r\n1\r\n', '$1\r\n2\r\n'],
  ['$1\r\n1\r\n', null],
])('of %j and %j under one stamp one counts, whichever comes first', (one, other) => {
  const joined = (...bases: (string | null)[]): string | undefined => {
    const state = new KeyState();
    for (const base of bases) state.absorb(resetTo(base));
    return state.base?.toString();
  };
  expect(joined(one, other)).toBe(joined(other, one));
  expect(joined(one, other)).toBeDefined();
});
