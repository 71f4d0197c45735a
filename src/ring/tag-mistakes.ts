/** Hash tag patterns that never count, which whoever has written them did not mean. */
import { tagEnd, tagStart } from './hash-tag.js';
import { readTagPattern, type TagPattern } from './tag-pattern.js';

/** What stands for an asterisk's text: of no hash tag, and of no pattern. */
const SOMETHING = '\0';

/**
 * @param texts patterns in their order; those that are none at all are not looked at
 * @param hashTag the ring's, two characters or empty
 * @returns for each pattern (by its index) that no key can come to, why, in words
 */
export function tagMistakes(texts: readonly string[], hashTag: string): { index: number; message: string }[] {
  const patterns = texts.map(readTagPattern);
  return patterns.flatMap((pattern, index) => {
    if (typeof pattern === 'string') return [];
    if (hasOwnTag(pattern, hashTag)) {
      return [{ index, message: `'${texts[index]}' never counts: its keys have a hash tag (${hashTag}) of their own` }];
    }
    const first = patterns.findIndex((other) => typeof other !== 'string' && covers(other, pattern));
    if (first < 0 || first >= index) return [];
    return [{ index, message: `'${texts[index]}' never counts: '${texts[first]}' stands first and matches its keys` }];
  });
}

/** Whether every key that matches has a hash tag of its own, which counts first. */
function hasOwnTag({ head, fixed, ending }: TagPattern, hashTag: string): boolean {
  if (hashTag === '') return false;
  const key = Buffer.from(fixed === null ? `${head}${SOMETHING}${ending}` : head);
  const from = tagStart(key, 0, key.length, hashTag.charCodeAt(0));
  return from >= 0 && tagEnd(key, from, key.length, hashTag.charCodeAt(1)) >= 0;
}

/** Whether every key that matches `pattern` certainly matches `first`, too. */
function covers(first: TagPattern, pattern: TagPattern): boolean {
  if (!pattern.head.startsWith(first.head)) return false;
  if (first.fixed !== null) return true;
  const rest = pattern.head.slice(first.head.length);
  if (first.ending === '') return rest !== '' || pattern.fixed === null;
  const at = rest.indexOf(first.ending);
  if (at >= 0) return at > 0;
  if (pattern.fixed !== null) return false;
  // Where the rest and what the asterisk stands for could begin with the ending, the first one would not match.
  if (rest === '') return pattern.ending === first.ending;
  return pattern.ending.includes(first.ending) && !first.ending.startsWith(rest);
}
