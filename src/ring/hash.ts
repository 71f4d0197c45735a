import { crc16, crc32, crc32a } from './hashes/crc.js';
import { fnv1_32, fnv1_64, fnv1a_32, fnv1a_64 } from './hashes/fnv.js';
import { hsieh } from './hashes/hsieh.js';
import { jenkins, oneAtATime } from './hashes/jenkins.js';
import { md5 } from './hashes/md5.js';
import { murmur, murmur3 } from './hashes/murmur.js';

/** Hashes the bytes `buffer[start, end)` of a key to an unsigned 32-bit number. */
export type HashFunction = (buffer: Uint8Array, start: number, end: number) => number;

/**
 * `murmur3` is the default: it spreads sequential keys evenly and takes few nanoseconds. The others are
 * twemproxy's, so that a cache that it filled stays where it is.
 */
export const HASH_NAMES = [
  'murmur3',
  'fnv1a_64',
  'fnv1_64',
  'fnv1a_32',
  'fnv1_32',
  'md5',
  'crc16',
  'crc32',
  'crc32a',
  'hsieh',
  'murmur',
  'jenkins',
  'one_at_a_time',
] as const;

export type HashName = (typeof HASH_NAMES)[number];

const HASHES: Readonly<Record<HashName, HashFunction>> = {
  murmur3,
  fnv1a_64,
  fnv1_64,
  fnv1a_32,
  fnv1_32,
  md5,
  crc16,
  crc32,
  crc32a,
  hsieh,
  murmur,
  jenkins,
  one_at_a_time: oneAtATime,
};

export function hashFunction(name: HashName): HashFunction {
  return HASHES[name];
}
