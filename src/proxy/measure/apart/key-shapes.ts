/**
 * What keys of one command have in common, so that a hash tag can be proposed that brings them together.
 *
 *   user:42:cart, user:42:orders   ─▶ user:*:cart, user:*:orders    tag: user:{*}:cart, user:{*}:orders
 *   queue:default, queue:low       ─▶ queue:default, queue:low      tag: {queue}:default, {queue}:low (one node for all)
 *   page:1, page:2                 ─▶ page:*
 *
 * Keys of like shape count as one: what differs from command to command (numbers, hexadecimal digits, what the keys of
 * a command share in the middle) is an asterisk.
 */

/** How keys can be brought together: by what differs from command to command, or all such keys on one node. */
export type TagKind = 'value' | 'prefix';

export interface KeyShapes {
  /** Each once, in the order of the command's keys. */
  readonly shapes: readonly string[];
  /** The same with a hash tag in each; null: they have nothing in common. */
  readonly tagged: readonly string[] | null;
  readonly kind: TagKind | null;
  /** What the asterisk between the tag's braces stands for in this command; null: the kind is not `value`. */
  readonly value: string | null;
  /** Whether that looks as if it were another one in other commands: a number, a UUID. */
  readonly varies: boolean;
}

/** A UUID, a long hexadecimal number, or digits. */
const VARIABLE = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=.*\d)[0-9a-f]{8,}|\d+)$/i;
/** Digits at the end of a word (`item42`). */
const WORD_AND_DIGITS = /\d+/g;
const SEGMENTS = /[^:/|.#,]+/g;
/** Where keys have nothing in common between those: as many names are made of words. */
const WORDS = /[^:/|.#,_]+/g;
/** Further keys say nothing new. */
const MOST_KEYS = 16;
const MOST_SHAPES = 4;
/** Characters of a key that are looked at. */
const LONGEST_KEY = 128;

/** @param keys of one command, as latin1 @returns what they look like */
export function shapesOf(keys: readonly string[]): KeyShapes {
  const seen = [...new Set(keys)].slice(0, MOST_KEYS).map((key) => key.slice(0, LONGEST_KEY));
  const common = commonOf(seen, SEGMENTS) ?? commonOf(seen, WORDS);
  const value = common?.kind === 'value' ? common.segment : null;
  const shapes = distinct(seen.map((key) => shape(key, common?.parts ?? SEGMENTS, value)));
  if (common === null || seen.some((key) => /[{}]/.test(key))) {
    return { shapes, tagged: null, kind: null, value: null, varies: false };
  }
  const tagged = distinct(seen.map((key) => tag(key, common)));
  return { shapes, tagged, kind: common.kind, value, varies: value !== null && VARIABLE.test(value) };
}

interface Common {
  readonly segment: string;
  readonly kind: TagKind;
  /** What keys are cut by. */
  readonly parts: RegExp;
}

/** The segment that all keys have, preferably one that is not the same in all commands. */
function commonOf(keys: readonly string[], parts: RegExp): Common | null {
  const [first = '', ...others] = keys;
  const segments = first.match(parts) ?? [];
  const shared = segments.filter((segment) => others.every((key) => key.match(parts)?.includes(segment)));
  const isFirst = (segment: string): boolean => keys.every((key) => key.startsWith(segment));
  const value = shared.find((segment) => VARIABLE.test(segment)) ?? shared.find((segment) => !isFirst(segment));
  if (value !== undefined) return { segment: value, kind: 'value', parts };
  const prefix = shared.find(isFirst);
  return prefix === undefined ? null : { segment: prefix, kind: 'prefix', parts };
}

function shape(key: string, parts: RegExp, value: string | null): string {
  return key.replace(parts, (segment) => generic(segment, value));
}

function generic(segment: string, value: string | null): string {
  if (segment === value || VARIABLE.test(segment)) return '*';
  return segment.replace(WORD_AND_DIGITS, '*');
}

function tag(key: string, { segment: common, kind, parts }: Common): string {
  let isTagged = false;
  return key.replace(parts, (segment) => {
    const text = generic(segment, kind === 'value' ? common : null);
    if (isTagged || segment !== common) return text;
    isTagged = true;
    return `{${text}}`;
  });
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].slice(0, MOST_SHAPES);
}
