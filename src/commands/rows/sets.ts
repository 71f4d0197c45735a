/** Sets. */
import { numkeys, type PolicyRow, type PolicyRows } from './row.js';

const set = { acl: ['set'] } as const satisfies PolicyRow;

export const SETS = {
  sintercard: { ...set, ...numkeys(1) },
  sadd: set,
  scard: { ...set, missingReply: 'zero', nearRead: 'always' },
  sdiff: set,
  sdiffstore: set,
  sinter: set,
  sinterstore: set,
  sismember: { ...set, missingReply: 'zero', nearRead: 'always' },
  smembers: { ...set, missingReply: 'empty', nearRead: 'always' },
  smismember: { ...set, nearRead: 'always' },
  smove: set,
  spop: set,
  srandmember: set,
  srem: set,
  sscan: set,
  sunion: set,
  sunionstore: set,
  sdiffcard: { ...set, ...numkeys(1) },
  sunioncard: { ...set, ...numkeys(1) },
} as const satisfies PolicyRows;
