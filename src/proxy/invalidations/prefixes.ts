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

/** Whether any two of these overlap; equal ones do. */
export function anyOverlap(prefixes: readonly string[]): boolean {
  const sorted = [...prefixes].sort();
  // What begins with a prefix stands right behind it.
  return sorted.some((prefix, i) => i > 0 && prefix.startsWith(sorted[i - 1] as string));
}

/** The bytes of these together. */
export function bytesOf(prefixes: readonly string[]): number {
  let bytes = 0;
  for (const prefix of prefixes) bytes += prefix.length;
  return bytes;
}
