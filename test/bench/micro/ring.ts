/** Micro-benchmarks of hashing and of finding a key's owner: nanoseconds per key. */
import { buildRingSync } from '../../../src/ring/build.js';
import { HASH_NAMES, type HashName, hashFunction } from '../../../src/ring/hash.js';
import { DEFAULT_RING_OPTIONS, type Ring } from '../../../src/ring/ring.js';
import { Rings } from '../../../src/ring/rings.js';

interface MicroBenchmark {
  readonly name: string;
  /** Does the thing `iterations` times. */
  run(iterations: number): void;
}

/** Keys in one buffer, as they come in a pipeline; a power of two, so that a mask picks the next one. */
const KEYS = 4096;
const KEY_BYTES = 16;
const keys = Buffer.from(
  Array.from({ length: KEYS }, (_, i) => `key:${String(i * 24_421).padStart(12, '0')}`).join(''),
);
const taggedKeys = Buffer.from(
  Array.from({ length: KEYS }, (_, i) => `{user:${String(i).padStart(5, '0')}}:pic`).join(''),
);

/** What the benchmarks compute goes here, so that none of it is optimised away. */
const sink = new Uint32Array(1);

function ringOf(nodes: number, hash: HashName = DEFAULT_RING_OPTIONS.hash, hashTags: readonly string[] = []): Ring {
  const specs = Array.from({ length: nodes }, (_, i) => ({
    name: `node${i + 1}`,
    address: `10.0.0.${i + 1}:6379`,
    weight: 1,
  }));
  return buildRingSync(specs, { ...DEFAULT_RING_OPTIONS, hash, hashTags });
}

function hashing(name: HashName): MicroBenchmark {
  const hash = hashFunction(name);
  return {
    name: `hash ${name}, 16-byte key`,
    run(iterations) {
      for (let i = 0; i < iterations; i++) {
        const at = (i & (KEYS - 1)) * KEY_BYTES;
        (sink[0] as number) ^= hash(keys, at, at + KEY_BYTES);
      }
    },
  };
}

function lookup(nodes: number): MicroBenchmark {
  const ring = ringOf(nodes);
  return {
    name: `owner of a hash, ${nodes} nodes`,
    run(iterations) {
      // Weyl's sequence: hashes all over the ring.
      for (let i = 0, hash = 0; i < iterations; i++, hash = (hash + 0x9e3779b9) >>> 0)
        (sink[0] as number) ^= ring.ownerOfHash(hash);
    },
  };
}

function owner(name: string, nodes: number, source: Buffer, hashTags: readonly string[] = []): MicroBenchmark {
  const ring = ringOf(nodes, DEFAULT_RING_OPTIONS.hash, hashTags);
  return {
    name: `owner of a key, ${name}, ${nodes} nodes`,
    run(iterations) {
      for (let i = 0; i < iterations; i++) {
        const at = (i & (KEYS - 1)) * KEY_BYTES;
        (sink[0] as number) ^= ring.ownerOf(source, at, at + KEY_BYTES);
      }
    },
  };
}

/** As a command of one key is routed. */
function routed(nodes: number): MicroBenchmark {
  const rings = new Rings(ringOf(nodes), null);
  return {
    name: `owner of a key by a snapshot's rings, 16 bytes, ${nodes} nodes`,
    run(iterations) {
      for (let i = 0; i < iterations; i++) {
        const at = (i & (KEYS - 1)) * KEY_BYTES;
        const hash = rings.hashOf(keys, at, at + KEY_BYTES);
        (sink[0] as number) ^= rings.ownerOf(hash) ^ hash;
      }
    },
  };
}

export const benchmarks: readonly MicroBenchmark[] = [
  ...HASH_NAMES.map(hashing),
  lookup(3),
  lookup(100),
  owner('16 bytes', 3, keys),
  owner('16 bytes', 100, keys),
  routed(3),
  routed(100),
  owner('16 bytes with a hash tag', 100, taggedKeys),
  owner('16 bytes that match no pattern', 100, keys, ['bull:{*}:', '{resque:}', 'b_{*}_']),
  owner('16 bytes that match the second pattern', 100, keys, ['key{*}_', 'key:{*}', 'b_{*}_']),
];
