/**
 * Patterns (`ring.hash-tags`) that do for keys what a hash tag in their names would do.
 *
 *   user:{*}:likes, user:{*}:follows   ─▶ user:{*}:
 *   bull:{*}:wait, bull:{*}:active     ─▶ bull:{mail}:    where no other queue was seen
 *   {queue}:default, {queue}:low       ─▶ {queue}:
 */
import type { ApartKeys } from '../../proxy/measure/apart/apart-keys.js';
import { tagMistakes } from '../../ring/tag-mistakes.js';
import { MOST_TAG_PATTERNS, readTagPattern, tagPatternOf } from '../../ring/tag-pattern.js';

/** What stands in a text for bytes that are none of UTF-8, which patterns are in. */
const NO_CHARACTER = '\ufffd';

/** @returns the patterns that bring a row's keys together; null: their names do not begin alike in all commands */
export function patternsOf({ tagged, value, varies }: Pick<ApartKeys, 'tagged' | 'value' | 'varies'>): string[] | null {
  if (tagged === null) return null;
  const patterns = tagged.map((key) =>
    patternOf(value === null || varies ? key : key.replace('{*}', () => `{${value}}`)),
  );
  return patterns.every(isUsable) ? [...new Set(patterns)] : null;
}

/** As little of what stands behind the tag as ends it. */
function patternOf(tagged: string): string {
  const end = tagged.indexOf('}') + 1;
  return Buffer.from(tagged.slice(0, end + 1), 'latin1').toString('utf8');
}

/** One that begins with the asterisk would be for all keys of the ring. */
function isUsable(text: string): boolean {
  const pattern = readTagPattern(text);
  return typeof pattern !== 'string' && pattern.head !== '' && !text.includes(NO_CHARACTER);
}

/**
 * @param own the patterns that the ring has, which stay in front
 * @param proposed what is to be added, the most important first
 * @returns all of them in an order in which each counts; those that could not are left out
 */
export function inOrder(own: readonly string[], proposed: readonly string[], hashTag: string): string[] {
  // Of those for keys that begin alike, one with an ending stands in front of one that goes to the key's end.
  const rank = (text: string): number => {
    const { head, ending } = tagPatternOf(text);
    return head.length * 2 + (ending === '' ? 0 : 1);
  };
  const added = [...new Set(proposed)].filter((pattern) => !own.includes(pattern)).sort((a, b) => rank(b) - rank(a));
  const all = [...own, ...added];
  const useless = new Set(tagMistakes(all, hashTag).map(({ index }) => index));
  return all.filter((_, index) => !useless.has(index)).slice(0, MOST_TAG_PATTERNS);
}
