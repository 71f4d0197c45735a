/** Redis' patterns of keys and channels: `*`, `?`, `[a-z]`, `[^a]`, and `\` in front of one of them. See the page of KEYS. */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** Whether all of `text` matches `pattern`. Linear in both, but for stars, each of which may go over the text once. */
export function matchesGlob(pattern: Uint8Array, text: Uint8Array): boolean {
  let at = 0;
  let from = 0;
  /** Where to go on when what follows the last star does not match: the star takes one more byte. */
  let afterStar = -1;
  let starTook = 0;
  while (true) {
    if (at < pattern.length && pattern[at] === STAR) {
      afterStar = ++at;
      starTook = from;
      continue;
    }
    if (from === text.length) {
      return at === pattern.length;
    }
    const next = at < pattern.length ? matchOne(pattern, at, text[from] as number) : -1;
    if (next >= 0) {
      at = next;
      from++;
    } else if (afterStar >= 0) {
      at = afterStar;
      from = ++starTook;
    } else return false;
  }
}

/** Whether `byte` matches what stands at `at`. @returns the offset behind that, or -1 */
function matchOne(pattern: Uint8Array, at: number, byte: number): number {
  const first = pattern[at] as number;
  if (first === QUESTION) return at + 1;
  if (first === OPEN) return matchClass(pattern, at + 1, byte);
  if (first === BACKSLASH && at + 1 < pattern.length) return pattern[at + 1] === byte ? at + 2 : -1;
  return first === byte ? at + 1 : -1;
}

/** A class that is not closed ends with the pattern, as in Redis. */
function matchClass(pattern: Uint8Array, start: number, byte: number): number {
  let at = start;
  const negated = pattern[at] === CARET;
  if (negated) at++;
  let found = false;
  while (at < pattern.length && pattern[at] !== CLOSE) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      at++;
      if (pattern[at] === byte) found = true;
      at++;
    } else if (pattern[at + 1] === DASH && at + 2 < pattern.length) {
      const one = pattern[at] as number;
      const other = pattern[at + 2] as number;
      if (byte >= Math.min(one, other) && byte <= Math.max(one, other)) found = true;
      at += 3;
    } else {
      if (pattern[at] === byte) found = true;
      at++;
    }
  }
  return found === negated ? -1 : Math.min(at + 1, pattern.length);
}
