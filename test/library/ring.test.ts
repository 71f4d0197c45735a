import { describe, expect, it } from 'vitest';
import { HashRing, RingproxyError } from '../../src/library/ring.js';
import { buildRingSync } from '../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS } from '../../src/ring/ring.js';

const NODES = [{ name: 'a' }, { name: 'b', weight: 2 }];
const KEYS = Array.from({ length: 500 }, (_, index) => `key:${index}`);

describe('the ring as a library', () => {
  it('has keys where a proxy has them', () => {
    const own = buildRingSync(
      [
        { name: 'a', address: '127.0.0.1:1', weight: 1 },
        { name: 'b', address: '127.0.0.1:2', weight: 2 },
      ],
      DEFAULT_RING_OPTIONS,
    );
    const ring = new HashRing(NODES);
    for (const key of KEYS) {
      const bytes = Buffer.from(key);
      expect(ring.ownerOf(key)).toBe(NODES[own.ownerOf(bytes, 0, bytes.length)]?.name);
      expect(ring.ownerOf(bytes)).toBe(ring.ownerOf(key));
      expect(ring.hashOf(key)).toBe(own.hashOf(bytes, 0, bytes.length) >>> 0);
    }
    expect(ring.shares().get('b')).toBeCloseTo(2 / 3, 1);
  });

  it('says what of a key is hashed, as it hashes it', () => {
    const ring = new HashRing(NODES, { hashTags: ['bull:{*}:', '{resque:}'] });
    const parts = {
      'a{b}c': 'b',
      '{}x': '{}x',
      'bull:m:wait': 'm',
      'resque:q': 'resque:',
      '': '',
      'ä{ö}': 'ö',
      '{x': '{x',
    };
    for (const [key, part] of Object.entries(parts)) {
      expect(ring.hashedPartOf(key), key).toBe(part);
      expect(Buffer.from(ring.hashedPartOf(Buffer.from(key))).toString(), key).toBe(part);
      const plain = new HashRing(NODES, { hashTag: '' });
      expect(ring.hashOf(key), key).toBe(plain.hashOf(part));
    }
  });

  it('says what changes owner', () => {
    const ring = new HashRing(NODES);
    const next = new HashRing([...NODES, { name: 'c' }]);
    const { share, moves } = ring.differenceTo(next);
    expect(moves.map(({ source, target }) => `${source} ${target}`).sort()).toEqual(['a c', 'b c']);
    expect(share).toBeCloseTo(next.shares().get('c') ?? 0, 9);
    expect(ring.differenceTo(ring)).toEqual({ share: 0, moves: [] });
    const elsewhere = new HashRing([{ name: 'a', address: '10.0.0.1:1' }, NODES[1] ?? { name: '' }]);
    expect(elsewhere.differenceTo(ring).moves).toEqual([{ source: 'a', target: 'a', share: ring.shares().get('a') }]);
  });

  it('compares no rings that hash differently', () => {
    const ring = new HashRing(NODES);
    expect(() => ring.differenceTo(new HashRing(NODES, { hash: 'md5' }))).toThrow(/hash differs/);
    expect(() => ring.differenceTo(new HashRing(NODES, { hashTags: ['x{*}'] }))).toThrow(/hashTags differs/);
  });

  it.each([
    [[], {}, 'it has no nodes'],
    [[{ name: 'a' }, { name: 'a' }], {}, 'node a is named twice'],
    [[{ name: 'a b' }], {}, "'a b' is not a node name: 1 to 512 visible ASCII characters"],
    [[{ name: 'a', weight: 0 }], {}, 'weight 0 of node a: expected a whole number from 1 to 1000000'],
    [[{ name: 'a', weight: 1000 }], {}, 'weight 1000 × 4096 vnodes are more than 1048576 points: use smaller weights'],
    [NODES, { vnodes: 0.5 }, 'vnodes: expected a whole number from 1 to 65536'],
    [NODES, { vnodes: 6, weighting: 'total' }, 'vnodes: must be a multiple of 4 with weighting total'],
    [NODES, { hashTag: '{' }, 'hashTag: expected two characters, such as {}, or an empty text'],
    [NODES, { hashTags: ['x'] }, "hashTags: 'x' needs braces around what is hashed, such as x{*}: or {x}"],
  ] as const)('refuses what a proxy would refuse (%#)', (nodes, settings, mistake) => {
    const make = () => new HashRing(nodes, settings);
    expect(make).toThrow(RingproxyError);
    expect(make).toThrow(`the ring has mistakes: ${mistake}`);
  });
});
