/**
 * What commands answer that read one key, when the key is not there. While keys move, such a read is asked of
 * the node that its key leaves, without moving it first: any other reply is the key's; this one means that the
 * node it goes to must be asked as well (and answers the same, if the key is there but reads like a missing one).
 * Not here: reads whose reply for a missing key depends on their arguments (LPOS, BITPOS, SRANDMEMBER) or has
 * parts (HMGET, ZMSCORE, GEOPOS), and those of several keys.
 */
export type MissingReply = 'nil' | 'zero' | 'empty' | 'minus two' | 'none';

export const MISSING_REPLIES: ReadonlyMap<string, MissingReply> = new Map([
  ...rows('nil', ['get', 'hget', 'lindex', 'zscore', 'zrank', 'zrevrank']),
  ...rows('zero', ['strlen', 'getbit', 'bitcount', 'hexists', 'hlen', 'hstrlen', 'llen', 'scard', 'sismember']),
  ...rows('zero', ['zcard', 'zcount', 'zlexcount', 'xlen']),
  ...rows('empty', ['getrange', 'substr', 'hgetall', 'hkeys', 'hvals', 'lrange', 'smembers', 'xrange', 'xrevrange']),
  ...rows('empty', ['zrange', 'zrevrange', 'zrangebyscore', 'zrevrangebyscore', 'zrangebylex', 'zrevrangebylex']),
  ...rows('minus two', ['ttl', 'pttl', 'expiretime', 'pexpiretime']),
  ...rows('none', ['type']),
]);

function rows(reply: MissingReply, names: readonly string[]): [string, MissingReply][] {
  return names.map((name) => [name, reply]);
}

/** Whether the reply that begins at `start` is `expected`, in RESP2 or RESP3. */
export function isMissingReply(expected: MissingReply, buffer: Uint8Array, start: number): boolean {
  const type = buffer[start];
  const next = buffer[start + 1];
  switch (expected) {
    case 'nil': // $-1, *-1 or _
      return type === 0x5f || ((type === 0x24 || type === 0x2a) && next === 0x2d);
    case 'zero': // :0
      return type === 0x3a && next === 0x30;
    case 'empty': // $0, *0, %0 or ~0
      return next === 0x30 && (type === 0x24 || type === 0x2a || type === 0x25 || type === 0x7e);
    case 'minus two': // :-2
      return type === 0x3a && next === 0x2d && buffer[start + 2] === 0x32;
    case 'none': // +none
      return type === 0x2b && next === 0x6e;
  }
}
