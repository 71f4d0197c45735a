/**
 * SORT's BY and GET name keys by patterns, such as `weight_*`. A node looks for these keys among its own: where one
 * could be elsewhere, the answer would be wrong without an error, so such a pattern is refused.
 */
import { equalsIgnoreCase } from '../../resp/bytes.js';
import { error as encodeError } from '../../resp/encode.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import { tagEnd, tagStart } from '../../ring/hash-tag.js';
import type { RoutingSnapshot } from '../snapshot.js';
import type { LocalKeys } from './local-keys.js';

const APART = encodeError(
  "CROSSSLOT BY and GET patterns of SORT need the key's hash tag, such as weight_{tag}_*: their keys may be on other nodes",
);
const IN_CHANGE = encodeError('TRYAGAIN the ring is changing, and the keys of SORT patterns are not known');
const OF_NO_NODE = encodeError(
  'ERR BY and GET patterns of SORT cannot name keys of a replicated group: no node has them; keep the keys in a group that is not replicated',
);
const WORDS = [Buffer.from('by'), Buffer.from('get')];
const ASTERISK = 0x2a;
const ARROW = Buffer.from('->');

/**
 * @param owner index of the node that sorts
 * @returns the error that the SORT in `framer` is answered, or null when it may run there
 */
export function refusalOfPatterns(snapshot: RoutingSnapshot, owner: number, framer: RequestFramer): Buffer | null {
  if (snapshot.nodes.length === 1) return null;
  return firstRefusal(framer, (pattern) => refusalOfPattern(snapshot, owner, pattern));
}

/**
 * @returns the error where a pattern of the SORT in `framer` names keys that no node has, as far as it says so itself:
 *   what it begins with decides; or null
 */
export function refusalOfLocalPatterns(localKeys: LocalKeys | null, framer: RequestFramer): Buffer | null {
  if (localKeys?.isUsed !== true) return null;
  return firstRefusal(framer, (pattern) => {
    const asterisk = pattern.indexOf(ASTERISK);
    return asterisk > 0 && localKeys.has(pattern, 0, asterisk) ? OF_NO_NODE : null;
  });
}

/** Of the patterns of the SORT in `framer`. */
function firstRefusal(framer: RequestFramer, refusalOf: (pattern: Buffer) => Buffer | null): Buffer | null {
  const source = framer.source as Buffer;
  for (let at = 2; at + 1 < framer.argc; at++) {
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (!WORDS.some((word) => equalsIgnoreCase(source, start, end, word))) continue;
    at++;
    const refusal = refusalOf(source.subarray(args.start[at], args.end[at]));
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Whether the SORT at hand names keys by patterns. */
export function namesKeysByPatterns(argc: number, source: Uint8Array): boolean {
  for (let at = 2; at + 1 < argc; at++) {
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (WORDS.some((word) => equalsIgnoreCase(source, start, end, word))) return true;
  }
  return false;
}

function refusalOfPattern({ rings }: RoutingSnapshot, owner: number, pattern: Buffer): Buffer | null {
  // Without an asterisk there is no key to look for.
  const asterisk = pattern.indexOf(ASTERISK);
  if (asterisk < 0) return null;
  const { hashTag } = rings;
  if (hashTag === '') return APART;
  // `key->field`: the field of a hash.
  const arrow = pattern.indexOf(ARROW, asterisk);
  const length = arrow >= 0 && arrow + ARROW.length < pattern.length ? arrow : pattern.length;
  const from = tagStart(pattern, 0, length, hashTag.charCodeAt(0));
  const to = from < 0 ? -1 : tagEnd(pattern, from, length, hashTag.charCodeAt(1));
  // What takes the asterisk's place could make another tag of it.
  if (to < 0 || asterisk < to) return APART;
  const hash = rings.hashOf(pattern, 0, length);
  if (rings.movesAway(hash)) return IN_CHANGE;
  return rings.ownerOf(hash) === owner ? null : APART;
}
