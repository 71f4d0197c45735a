/** Hashes. */
import type { PolicyRow, PolicyRows } from './row.js';

const hash = { acl: ['hash'] } as const satisfies PolicyRow;

export const HASHES = {
  hdel: hash,
  hexists: { ...hash, missingReply: 'zero' },
  hget: { ...hash, cacheRead: 'key', missingReply: 'nil' },
  hgetall: { ...hash, missingReply: 'empty' },
  hincrby: hash,
  hincrbyfloat: hash,
  hkeys: { ...hash, missingReply: 'empty' },
  hlen: { ...hash, missingReply: 'zero' },
  hmget: hash,
  hmset: hash,
  hrandfield: hash,
  hscan: hash,
  hset: hash,
  hsetnx: hash,
  hstrlen: { ...hash, missingReply: 'zero' },
  hvals: { ...hash, missingReply: 'empty' },
  hexpire: hash,
  hexpireat: hash,
  hexpiretime: hash,
  hgetdel: hash,
  hgetex: hash,
  hpersist: hash,
  hpexpire: hash,
  hpexpireat: hash,
  hpexpiretime: hash,
  hpttl: hash,
  hsetex: hash,
  httl: hash,
} as const satisfies PolicyRows;
