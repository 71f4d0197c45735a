/** Symptom: with a node that was gone, resume and cancel were what helps, and both wait for it. */
import { expect, it } from 'vitest';
import { hintForPaused } from '../../src/client/paused-hint.js';

const DEFAULT = 'mend it, then: ringproxy ring resume; or go back: ringproxy ring cancel';

/** Keys move off `a` to `b`; what `c` had is moved, and `d` has nothing to do with it. */
function hint(...down: string[]): string {
  const source = { keysMoved: 0, keysScanned: 0, owner: 'p1', largeKey: null };
  const sources = [
    { ...source, node: 'a', done: false },
    { ...source, node: 'c', done: true },
  ];
  const next: Record<string, number> = { a: 0.2, b: 0.3, c: 0.2, d: 0.25 };
  const nodes = Object.entries(next).map(([name, nextShare]) => {
    return { name, state: down.includes(name) ? 'down' : 'active', share: 0.25, nextShare } as const;
  });
  return hintForPaused({ sources }, nodes);
}

it('names the way out with a node that may be gone for good', () => {
  expect(hint('a', 'd')).toBe(
    'mend it, then: ringproxy ring resume; if a is gone for good: ringproxy ring resume --no-drain, which gives up the keys that were not handed over',
  );
  expect(hint('b', 'd')).toBe(
    'mend it, then: ringproxy ring resume; if b is gone for good: ringproxy ring cancel, and then ringproxy ring resume --no-drain',
  );
  expect(hint('a', 'b')).toContain('if a is gone for good: ringproxy ring resume --no-drain, which');
});

it('stays as it is where every node concerned answers', () => {
  expect([hint(), hint('d'), hint('c')]).toEqual([DEFAULT, DEFAULT, DEFAULT]);
});
