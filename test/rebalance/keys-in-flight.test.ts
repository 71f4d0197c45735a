import { expect, it } from 'vitest';
import type { MoveWaiter } from '../../src/proxy/key-moves.js';
import { KeysInFlight } from '../../src/rebalance/keys-in-flight.js';

function client(): MoveWaiter {
  return { resumeSoon: () => {} };
}

it('tells at the end who has waited for a key, each once', () => {
  const keys = new KeysInFlight();
  const [a, b, c] = [client(), client(), client()];
  keys.begin('quiet');
  keys.begin('wanted');
  keys.begin('asked for', new Set([c]));
  // One that is on its way keeps who waits for it.
  keys.begin('asked for');
  expect([keys.wait('wanted', a), keys.wait('wanted', b), keys.wait('wanted', a)]).toEqual([true, true, true]);
  expect(keys.wait('asked for', a)).toBe(true);
  expect(keys.wait('resting', a)).toBe(false);
  expect([...keys.waiters()]).toEqual([new Set([a, b]), new Set([c, a])]);
  expect([keys.size, keys.has('quiet'), keys.has('resting')]).toEqual([3, true, false]);
  expect(keys.end('quiet')).toBe(null);
  expect(keys.end('wanted')).toEqual(new Set([a, b]));
  expect(keys.end('wanted')).toBe(null);
  expect([...keys.waiters()]).toEqual([new Set([c, a])]);
  expect(keys.size).toBe(1);
});
