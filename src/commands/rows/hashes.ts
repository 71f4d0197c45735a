/** Hashes. */
import { creates, type PolicyRow, type PolicyRows } from './row.js';

const hash = { acl: ['hash'] } as const satisfies PolicyRow;

export const HASHES = {
  hdel: hash,
  hexists: { ...hash, missingReply: 'zero', nearRead: 'while fields last' },
  hget: { ...hash, cacheRead: 'key', missingReply: 'nil', nearRead: 'while fields last' },
  hgetall: { ...hash, missingReply: 'empty', nearRead: 'while fields last' },
  hincrby: { ...hash, ...creates },
  hincrbyfloat: { ...hash, ...creates },
  hkeys: { ...hash, missingReply: 'empty', nearRead: 'while fields last' },
  hlen: { ...hash, missingReply: 'zero', nearRead: 'while fields last' },
  hmget: { ...hash, nearRead: 'while fields last', awaitsFill: 'all nil' },
  hmset: { ...hash, ...creates },
  hrandfield: hash,
  hscan: hash,
  hset: { ...hash, ...creates },
  hsetnx: { ...hash, ...creates },
  hstrlen: { ...hash, missingReply: 'zero', nearRead: 'while fields last' },
  hvals: { ...hash, missingReply: 'empty', nearRead: 'while fields last' },
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
