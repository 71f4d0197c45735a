function load16(buffer: Uint8Array, at: number): number {
  return (buffer[at] as number) | ((buffer[at + 1] as number) << 8);
}

/**
 * SuperFastHash (Paul Hsieh, www.azillionmonkeys.com/qed/hash.html) as twemproxy computes it: the third of
 * three odd bytes is C's signed char, a single one is not.
 */
export function hsieh(buffer: Uint8Array, start: number, end: number): number {
  const rest = (end - start) & 3;
  const tail = end - rest;
  let hash = 0;
  if (end === start) return 0;
  for (let at = start; at < tail; at += 4) {
    hash = (hash + load16(buffer, at)) | 0;
    hash = (hash << 16) ^ ((load16(buffer, at + 2) << 11) ^ hash);
    hash = (hash + (hash >>> 11)) | 0;
  }
  if (rest === 3) {
    hash = (hash + load16(buffer, tail)) | 0;
    hash ^= hash << 16;
    hash ^= (((buffer[tail + 2] as number) << 24) >> 24) << 18;
    hash = (hash + (hash >>> 11)) | 0;
  } else if (rest === 2) {
    hash = (hash + load16(buffer, tail)) | 0;
    hash ^= hash << 11;
    hash = (hash + (hash >>> 17)) | 0;
  } else if (rest === 1) {
    hash = (hash + (buffer[tail] as number)) | 0;
    hash ^= hash << 10;
    hash = (hash + (hash >>> 1)) | 0;
  }
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  hash = (hash + (hash >>> 6)) | 0;
  return hash >>> 0;
}
