import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildRingSync } from '../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS, type RingOptions } from '../../src/ring/ring.js';
import { type KeyHash, keptHash, Rings } from '../../src/ring/rings.js';
import { overNodes } from '../../src/ring/union.js';
import { ROOT } from '../support/root.js';

const nodes = ['a', 'b', 'c'].map((name) => ({ name, address: `${name}:1`, weight: 1 }));
const keys = Array.from({ length: 500 }, (_, i) => Buffer.from(`key:${i}`));

/** From a ring of `a` and `b` to one of all three. */
function change(options: RingOptions = DEFAULT_RING_OPTIONS) {
  const before = overNodes(buildRingSync(nodes.slice(0, 2), options), nodes);
  const after = overNodes(buildRingSync(nodes, options), nodes);
  const rings = new Rings(before, after);
  const hashes = keys.map((key) => rings.hashOf(key, 0, key.length));
  return { before, after, rings, hashes };
}

describe.each(['ketama', 'modula'] as const)('the rings of a change (%s)', (distribution) => {
  const { before, after, rings, hashes } = change({ ...DEFAULT_RING_OPTIONS, distribution });
  const stable = new Rings(before, null);

  it('tell of each key where it is and where it goes, as the two rings do', () => {
    for (const [i, key] of keys.entries()) {
      const hash = hashes[i] as KeyHash;
      const [owner, next] = [before.ownerOf(key, 0, key.length), after.ownerOf(key, 0, key.length)];
      expect([rings.ownerOf(hash), rings.nextOwnerOf(hash)]).toEqual([owner, next]);
      expect(rings.movesAway(hash)).toBe(owner !== next);
      expect([0, 1, 2].filter((node) => rings.mayHold(node, hash))).toEqual([...new Set([owner, next])].sort());
      expect([stable.nextOwnerOf(hash), stable.movesAway(hash)]).toEqual([owner, false]);
    }
    expect([rings.isChanging, stable.isChanging]).toEqual([true, false]);
  });

  it('read a hash that was kept, signed or not', () => {
    const large = hashes.filter((hash) => hash < 0);
    expect(large.length).toBeGreaterThan(100);
    for (const hash of large) {
      expect(keptHash(rings.shown(hash))).toBe(hash);
      expect(keptHash(new Uint32Array([hash])[0] as number)).toBe(hash);
      expect(rings.shown(hash)).toBeGreaterThanOrEqual(2 ** 31);
    }
  });

  it('become the same in another process', () => {
    for (const sent of [rings, stable]) {
      const received = Rings.of(nodes, structuredClone(sent.parts));
      expect(received.isChanging).toBe(sent.isChanging);
      for (const hash of hashes) {
        expect(received.ownerOf(hash)).toBe(sent.ownerOf(hash));
        expect(received.nextOwnerOf(hash)).toBe(sent.nextOwnerOf(hash));
      }
    }
  });
});

it('the rings of a change tell which nodes lose and get keys, and what goes back when it is turned round', () => {
  const { before, rings } = change();
  expect([...rings.sources()].sort()).toEqual([0, 1]);
  expect([...rings.targetsOf(0)]).toEqual([2]);
  expect([...rings.targetsOf(2)]).toEqual([]);
  expect([0, 1, 2].map((node) => rings.has(node))).toEqual([true, true, false]);
  expect([0, 1, 2].map((node) => rings.willHave(node))).toEqual([true, true, true]);
  const turned = rings.movesBack().map(({ source, target, share }) => ({ source: target, target: source, share }));
  const byName = (moves: { source: string }[]) => moves.toSorted((a, b) => a.source.localeCompare(b.source));
  expect(byName(turned)).toEqual(byName(rings.moves()));
  expect(rings.walk([2, 1, 0])).toEqual({ order: [1, 0, 2], circular: false });
  const stable = new Rings(before, null);
  expect([stable.sources().size, stable.moves()]).toEqual([0, []]);
});

it('the owner without the owner is who owns the key on a ring without that node', () => {
  const { after, hashes } = change();
  const rings = new Rings(after, null);
  const without = [0, 1, 2].map((left) => {
    const rest = nodes.filter((_, node) => node !== left);
    return new Rings(overNodes(buildRingSync(rest, DEFAULT_RING_OPTIONS), nodes), null);
  });
  for (const hash of hashes) expect(rings.ownerWithoutOwner(hash)).toBe(without[rings.ownerOf(hash)]?.ownerOf(hash));
});

describe('only `src/ring` looks into rings', () => {
  /** Who makes the rings of a snapshot, and who gives one ring to programs. */
  const MAKERS = ['src/topology/change-rings.ts', 'src/library/ring.ts'];
  const FORBIDDEN: readonly (readonly [string, RegExp])[] = [
    ['the ring that follows', /\bnextRing\b/],
    ['the owner of a bare hash', /\bownerOfHash\b/],
    ['a ring itself', /import (type )?\{[^}]*\bRing\b[^}]*\} from '[./]*ring\/ring\.js'/],
    ['a hash that was not made by the rings', /\bas KeyHash\b|\bkeyHash\b.*(\| 0|>>> 0)/],
  ];
  const looks = (text: string) => FORBIDDEN.flatMap(([what, pattern]) => (pattern.test(text) ? [what] : []));

  it('in all of src', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((file) => !file.startsWith('src/ring/') && !MAKERS.includes(file));
    expect(files.length).toBeGreaterThan(300);
    const found = files.flatMap((file) =>
      looks(readFileSync(join(ROOT, file), 'utf8')).map((what) => `${file}: ${what}`),
    );
    expect(found).toEqual([]);
  });

  it.each([
    ['if (snapshot.nextRing !== null) wait();', 'the ring that follows'],
    ['const { ring, nextRing } = snapshot;', 'the ring that follows'],
    ['const owner = ring.ownerOfHash(hash);', 'the owner of a bare hash'],
    ["import type { Ring, RingOptions } from '../ring/ring.js';", 'a ring itself'],
    ["import { Ring } from '../../ring/ring.js';", 'a ring itself'],
    ['request.keyHash = hash as KeyHash;', 'a hash that was not made by the rings'],
    ['request.keyHash = hash | 0;', 'a hash that was not made by the rings'],
  ])('%s is found', (line, what) => {
    expect(looks(line)).toContain(what);
  });
});
