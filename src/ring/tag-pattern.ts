/**
 * Patterns that say which part of a key is hashed when it has no hash tag of its own, for applications that do not put
 * any into their keys' names: a key that matches is placed as if the pattern's braces stood in it.
 *
 *   bull:{*}:    bull:mail:wait  ─▶ mail      what stands between `bull:` and the next `:`
 *   user:{*}     user:42         ─▶ 42        what stands behind `user:`, to the key's end
 *   {resque:}    resque:queues   ─▶ resque:   the same for all keys that begin like that: they are on one node
 */

export interface TagPattern {
  /** What a key begins with: the text up to the asterisk, or all of a pattern that has none. */
  readonly head: string;
  /** Which characters of the head are hashed, from (inclusive) and to (exclusive); null: what the asterisk stands for. */
  readonly fixed: readonly [number, number] | null;
  /** What ends that which the asterisk stands for; empty: the key's end. */
  readonly ending: string;
}

/** Each is compared with the keys that have no hash tag. */
export const MOST_TAG_PATTERNS = 64;
const LONGEST = 128;

/** @returns the pattern, or what is wrong with the text, in words */
export function readTagPattern(text: string): TagPattern | string {
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`;
  const open = text.indexOf('{');
  const close = text.indexOf('}');
  if (open < 0 && close < 0) return `needs braces around what is hashed, such as ${text}{*}: or {${text}}`;
  if (open < 0 || close < open) return 'has a brace that is not closed, or not opened';
  if (text.indexOf('{', open + 1) >= 0 || text.indexOf('}', close + 1) >= 0) return 'has more than one pair of braces';
  const [before, inside, behind] = [text.slice(0, open), text.slice(open + 1, close), text.slice(close + 1)];
  if (inside === '')
    return 'has nothing between its braces: name there what all of its keys have in common, or an asterisk';
  if (before.includes('*') || behind.includes('*') || (inside !== '*' && inside.includes('*'))) {
    return 'may have one asterisk, alone between the braces: the text around them is literal';
  }
  if (inside !== '*') {
    return { head: `${before}${inside}${behind}`, fixed: [before.length, before.length + inside.length], ending: '' };
  }
  if (before === '' && behind === '') return 'says nothing: whole keys are hashed anyway';
  return { head: before, fixed: null, ending: behind };
}

/** @returns the pattern. @throws Error when the text is none, which whoever has read it has made sure of */
export function tagPatternOf(text: string): TagPattern {
  const pattern = readTagPattern(text);
  if (typeof pattern === 'string') throw new Error(`the hash tag pattern '${text}' ${pattern}`);
  return pattern;
}
