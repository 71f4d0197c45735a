/** Keys that begin with this belong to the proxy: clients can neither read nor write nor see them. */
export const RESERVED_PREFIX = Buffer.from('__ringproxy__');

const UNDERSCORE = 0x5f;

/** Whether the key `source[start, end)` belongs to the proxy. */
export function isReserved(source: Uint8Array, start: number, end: number): boolean {
  if (source[start] !== UNDERSCORE || end - start < RESERVED_PREFIX.length) return false;
  for (let i = 1; i < RESERVED_PREFIX.length; i++) {
    if (source[start + i] !== RESERVED_PREFIX[i]) return false;
  }
  return true;
}

/** What a client is answered that names such a key. */
export const RESERVED_REPLY = Buffer.from('-ERR keys with the prefix __ringproxy__ are reserved for the proxy\r\n');
