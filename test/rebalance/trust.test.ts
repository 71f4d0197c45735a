import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MoveMemory } from '../../src/rebalance/move-memory.js';
import { verdictOn } from '../../src/rebalance/trust.js';

const A = { name: 'a', address: '127.0.0.1:1' };
const B = { name: 'b', address: '127.0.0.1:2' };

describe('which copies count', () => {
  it('trusts a source that was not restarted, whatever is remembered', () => {
    for (const place of ['source', 'target', 'unknown'] as const) expect(verdictOn(place, false, false)).toBe('move');
  });

  it('never lets a restarted source replace what a target has that was not', () => {
    expect(verdictOn('source', true, false)).toBe('offer');
    expect(verdictOn('target', true, false)).toBe('drop');
    expect(verdictOn('unknown', true, false)).toBe('drop');
  });

  it('shows nothing of the past on a restarted target', () => {
    expect(verdictOn('source', false, true)).toBe('move, clear');
    expect(verdictOn('unknown', false, true)).toBe('move, clear');
    expect(verdictOn('unknown', true, true)).toBe('drop both');
  });
});

describe('the memory of what has moved', () => {
  // A change and its cancels, each of which settles some of the keys: the model moves them and knows where they are.
  it('tells on which node each key is, over any number of turns', () => {
    const turns = fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 10 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(turns, (settles) => {
        const at = new Map(Array.from({ length: 10 }, (_, i) => [i, 'a']));
        let memory: MoveMemory | null = null;
        settles.forEach((keys, turn) => {
          const [source, target] = turn % 2 === 0 ? [A, B] : [B, A];
          // Each turn numbers the nodes in its own way.
          const current: MoveMemory = new MoveMemory([target, source], memory);
          current.begin(1);
          for (let key = 0; key < 10; key++) {
            const place = current.placeOf(1, 0, 3, Buffer.from(`key:${key}`));
            expect(place).toBe(at.get(key) === source.name ? 'source' : 'target');
          }
          for (const key of keys) {
            current.settled.add(1, 3, Buffer.from(`key:${key}`));
            at.set(key, target.name);
          }
          memory = current;
        });
      }),
    );
  });

  it('does not claim to know what a proxy before this one, or its own bound, has made it forget', () => {
    const key = Buffer.from('key');
    const resumed = new MoveMemory([A, B], null);
    expect(resumed.placeOf(0, 1, 0, key)).toBe('unknown');
    const back = new MoveMemory([A, B], resumed);
    back.begin(1);
    expect(back.placeOf(1, 0, 0, key)).toBe('unknown');
    const full = new MoveMemory([A, B], null);
    full.begin(0);
    const filler = 'x'.repeat(4000);
    for (let i = 0; i < 20_000; i++) full.settled.add(0, 0, Buffer.from(`${i}:${filler}`));
    expect(full.placeOf(0, 1, 0, key)).toBe('unknown');
  });

  it('knows of each source by itself whether other proxies have moved keys of it as well', () => {
    const [mine, shared] = [Buffer.from('mine'), Buffer.from('shared')];
    const C = { name: 'c', address: '127.0.0.1:3' };
    const there = new MoveMemory([A, B, C], null);
    there.begin(0);
    there.begin(1);
    there.share(1);
    // What others have told of is known all the same.
    there.settled.add(1, 0, shared);
    expect([there.placeOf(0, 2, 0, mine), there.placeOf(1, 2, 0, mine)]).toEqual(['source', 'unknown']);
    const back = new MoveMemory([A, B, C], there);
    back.begin(2);
    expect(back.placeOf(2, 0, 0, mine)).toBe('target');
    expect(back.placeOf(2, 1, 0, mine)).toBe('unknown');
    expect(back.placeOf(2, 1, 0, shared)).toBe('source');
  });
});
