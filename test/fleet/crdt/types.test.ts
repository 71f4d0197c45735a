import { describe, expect, it } from 'vitest';
import { balanceOf, count, growCounter, pnCounter } from '../../../src/fleet/crdt/counters.js';
import type { Stamp } from '../../../src/fleet/crdt/hybrid-clock.js';
import { liveEntries, lwwMap, removeEntry, setEntry } from '../../../src/fleet/crdt/lww-map.js';
import { addTo, observedSet, removeFrom } from '../../../src/fleet/crdt/observed-set.js';

const numbers = lwwMap<number>({ decode: (value) => (typeof value === 'number' ? value : null) });
const at = (wall: number, actor = 'a'): Stamp => [wall, 0, actor];

describe('a map', () => {
  it('keeps the later of two writes, also when it is a removal, until its tombstone is dropped', () => {
    const written = numbers.join(setEntry('x', 1, at(5)), removeEntry('x', at(7)));
    expect([...liveEntries(numbers.join(written, setEntry('x', 2, at(6))))]).toEqual([]);
    expect([...liveEntries(numbers.join(written, setEntry('x', 3, at(8))))]).toEqual([['x', 3, at(8)]]);
    expect(numbers.size(written)).toEqual({ entries: 0, tombstones: 1 });
    expect(numbers.prune(written, 7)).toBe(written);
    expect(numbers.size(numbers.prune(written, 8))).toEqual({ entries: 0, tombstones: 0 });
    expect(numbers.visible(written)).toEqual(numbers.visible(numbers.bottom));
  });

  it('takes the same of two values under one stamp everywhere', () => {
    const [a, b] = [setEntry('x', 1, at(5)), setEntry('x', 2, at(5))];
    expect(numbers.encode(numbers.join(a, b))).toEqual(numbers.encode(numbers.join(b, a)));
  });
});

describe('a set', () => {
  it('keeps what is added while somebody else removes what it has seen', () => {
    const first = addTo(observedSet.bottom, 'x', 'a');
    const removed = observedSet.join(first, removeFrom(first, 'x'));
    const again = observedSet.join(first, addTo(first, 'x', 'b'));
    expect([...observedSet.join(removed, again).dots.keys()]).toEqual(['x']);
    expect([...observedSet.join(removed, first).dots.keys()]).toEqual([]);
  });

  it('keeps nothing of what is removed', () => {
    let set = observedSet.bottom;
    for (let i = 0; i < 1000; i++) {
      set = observedSet.join(set, addTo(set, `x${i}`, 'a'));
      set = observedSet.join(set, removeFrom(set, `x${i}`));
    }
    expect(JSON.stringify(observedSet.encode(set))).toBe('[{},{"a":[1000]}]');
  });
});

it('counts up and down by many at the same time', () => {
  const a = count(pnCounter.bottom, 'a', 5);
  const b = count(pnCounter.bottom, 'b', -2);
  expect(balanceOf(pnCounter.join(a, b))).toBe(3);
  expect(growCounter.join(growCounter.bottom, new Map([['a', 0]]))).toBe(growCounter.bottom);
});
