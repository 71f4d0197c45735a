import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lastingBytes } from '../../src/resp/words.js';
import { HASH_NAMES, type HashName, hashFunction } from '../../src/ring/hash.js';

const hashOf = (name: HashName, key: string): number => {
  const bytes = Buffer.from(key, 'latin1');
  const hash = hashFunction(name)(bytes, 0, bytes.length);
  const lasting = lastingBytes(bytes.length);
  lasting.set(bytes);
  // By words as by bytes.
  expect(hashFunction(name)(lasting, 0, bytes.length)).toBe(hash);
  return hash;
};

describe('hashes', () => {
  /** What twemproxy's own tests and libmemcached's expect. */
  const APPLE: Readonly<Record<Exclude<HashName, 'murmur3'>, number>> = {
    one_at_a_time: 2297466611,
    md5: 3195025439,
    crc16: 3662830516,
    crc32: 10542,
    crc32a: 2838417488,
    fnv1_64: 473199127,
    fnv1a_64: 1488911807,
    fnv1_32: 67176023,
    fnv1a_32: 280767167,
    hsieh: 3738850110,
    murmur: 4142305122,
    jenkins: 1442444624,
  };

  it.each(Object.entries(APPLE) as [HashName, number][])('%s gives the published value', (name, expected) => {
    expect(hashOf(name, 'apple')).toBe(expected);
  });

  it('murmur3 gives the published values', () => {
    expect(hashOf('murmur3', '')).toBe(0);
    expect(hashOf('murmur3', 'hello')).toBe(0x248bfa47);
    expect(hashOf('murmur3', 'hello, world')).toBe(0x149bbb7f);
    expect(hashOf('murmur3', 'The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723);
  });

  /** A change of any of these moves every user's keys. */
  const KEYS = ['', 'a', 'ab', 'abc', 'user:1000', 'The quick brown fox', '\x80\xff binary'];
  const PINNED: Readonly<Record<HashName, string>> = {
    crc16: '0 7c87 7c74ff 7c749dd6 e1644671 5e02addd 127cf6a5',
    crc32: '0 68b7 1e83 3524 1f74 3745 1e88',
    crc32a: '0 e8b7be43 9e83486d 352441c2 9f7417e3 b74574de 1e88633d',
    fnv1_32: '811c9dc5 50c5d7e 70772d38 439c2f4b a6affca1 cb423604 f4b72721',
    fnv1_64: '84222325 8601b7be b4eb37b8 6bafadcb d39e3d21 d86ce184 3f628881',
    fnv1a_32: '811c9dc5 e40c292c 4d2505ca 1a47e90b 507c1d89 ae4d67e2 c1f14765',
    fnv1a_64: '84222325 8601ec8c b545986a 541574b ae7b4289 9b449782 86205ac5',
    hsieh: '0 93642e87 5b8c0ec3 e5186b3a ddec1969 c2375483 a6141222',
    jenkins: 'deadbefc e0a38690 c1b5695b 8f415600 48c4d84 fcc46ee6 c5601d7b',
    md5: 'd98c1dd4 b975c10c 43f47e18 98500190 2e986207 374f00a2 4824cdf8',
    murmur: '0 4b41757c e3b54dfb 7b0cc428 8e24aec7 2590642 a2623194',
    murmur3: '0 3c2569b2 9bbfd75f b3dd93fa 396d9e9c 60a2c22d c49966da',
    one_at_a_time: '0 ca2e9442 45e61e58 ed131f5b b563b74f 43cf4eff 2e5a6c42',
  };

  it.each(HASH_NAMES)('%s is pinned', (name) => {
    expect(KEYS.map((key) => hashOf(name, key).toString(16)).join(' ')).toBe(PINNED[name]);
  });

  it.each(HASH_NAMES)('%s sees only the bytes between its bounds, of keys of every length', (name) => {
    const hash = hashFunction(name);
    for (let length = 0; length <= 250; length++) {
      const key = randomBytes(length);
      const value = hash(key, 0, length);
      expect(value).toBe(value >>> 0);
      const framed = Buffer.concat([randomBytes(3), key, randomBytes(5)]);
      expect(hash(framed, 3, 3 + length)).toBe(value);
    }
  });
});
