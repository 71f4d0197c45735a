/** Symptom: with a node that was gone, resume and cancel were what helps, and both wait for it. */
import { expect, it } from 'vitest';
import { hintForPaused } from '../../src/client/paused-hint.js';
import { changeView } from '../cli/fake-admin.js';

const DEFAULT = 'mend it, then: ringproxy ring resume; or go back: ringproxy ring cancel';

/** Keys move off `a` to `b`; `ba` is down, too, and has nothing to do with it. */
function hint(error: string, ...down: string[]): string {
  const source = { keysMoved: 0, keysScanned: 0, owner: 'p1', largeKey: null };
  const sources = [
    { ...source, node: 'a', done: false },
    { ...source, node: 'c', done: true },
  ];
  const change = changeView({ paused: true, error, sources });
  const nodes = ['a', 'b', 'c', 'ba'].map(
    (name) => ({ name, state: down.includes(name) ? 'down' : 'active' }) as const,
  );
  return hintForPaused(change, nodes);
}

it('names the way out with a node that may be gone for good', () => {
  const off = 'moving keys off a (h:1) failed: node a (h:1) refused the connection';
  expect(hint(off, 'a', 'ba')).toBe(
    'mend it, then: ringproxy ring resume; if a is gone for good: ringproxy ring resume --no-drain, which gives up the keys that were not handed over',
  );
  const to = 'moving keys off a (h:1) failed: node b (h:2) refused the connection';
  expect(hint(to, 'b', 'ba')).toBe(
    'mend it, then: ringproxy ring resume; if b is gone for good: ringproxy ring cancel, and then ringproxy ring resume --no-drain',
  );
  expect(hint(to, 'a', 'b')).toContain('if a, b are gone for good: ringproxy ring resume --no-drain');
});

it('stays as it is where every node concerned answers', () => {
  expect(hint('moving keys off a (h:1) failed: node b (h:2) is out of memory', 'ba')).toBe(DEFAULT);
});
