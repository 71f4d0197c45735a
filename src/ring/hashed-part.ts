import { tagEnd, tagStart } from './hash-tag.js';
import type { RingOptions } from './ring.js';
import { TagPatterns } from './tag-patterns.js';

/** @returns which bytes of a key are hashed: from (inclusive), to (exclusive) */
export type HashedPart = (key: Uint8Array) => readonly [from: number, to: number];

/** What `Ring.hashOf` hashes, for those who want to see it: not for the way of a command. */
export function hashedPart({ hashTag, hashTags = [] }: Pick<RingOptions, 'hashTag' | 'hashTags'>): HashedPart {
  let part: readonly [number, number] = [0, 0];
  const patterns = new TagPatterns(hashTags, (_key, from, to) => {
    part = [from, to];
    return 0;
  });
  return (key) => {
    const from = hashTag === '' ? -1 : tagStart(key, 0, key.length, hashTag.charCodeAt(0));
    const to = from < 0 ? -1 : tagEnd(key, from, key.length, hashTag.charCodeAt(1));
    if (to >= 0) return [from, to];
    patterns.hashOf(key, 0, key.length);
    return part;
  };
}
