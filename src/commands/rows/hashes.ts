/** Hashes. */
import { creates, type PolicyRow, type PolicyRows } from './row.js';

const hash = { acl: ['hash'] } as const satisfies PolicyRow;

export const HASHES = {
  hdel: hash,
  hexists: { ...hash, missingReply: 'zero' },
  hget: { ...hash, cacheRead: 'key', missingReply: 'nil' },
  hgetall: { ...hash, missingReply: 'empty' },
  hincrby: { ...hash, ...creates },
  hincrbyfloat: { ...hash, ...creates },
  hkeys: { ...hash, missingReply: 'empty' },
  hlen: { ...hash, missingReply: 'zero' },
  hmget: hash,
  hmset: { ...hash, ...creates },
  hrandfield: hash,
  hscan: hash,
  hset: { ...hash, ...creates },
  hsetnx: { ...hash, ...creates },
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
  hsetex: { ...hash, ...creates },
  httl: hash,
} as const satisfies PolicyRows;
