/** Prefixes of keys, with one character for each byte. */

/** The least set of prefixes that has all keys of these: without those that begin with another one. */
export function coverOf(prefixes: Iterable<string>): string[] {
  const cover: string[] = [];
  for (const prefix of [...new Set(prefixes)].sort()) {
    const last = cover.at(-1);
    if (last === undefined || !prefix.startsWith(last)) cover.push(prefix);
  }
  return cover;
}

/** Whether one of the two begins with the other, so that some keys have both. */
export function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}
