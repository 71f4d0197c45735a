/** Sets. */
import { creates, createsLast, numkeys, type PolicyRow, type PolicyRows } from './row.js';

const set = { acl: ['set'] } as const satisfies PolicyRow;

export const SETS = {
  sintercard: { ...set, ...numkeys(1) },
  sadd: { ...set, ...creates },
  scard: { ...set, missingReply: 'zero', nearRead: 'always' },
  sdiff: set,
  sdiffstore: { ...set, ...creates },
  sinter: set,
  sinterstore: { ...set, ...creates },
  sismember: { ...set, missingReply: 'zero', nearRead: 'always' },
  smembers: { ...set, missingReply: 'empty', nearRead: 'always' },
  smismember: { ...set, nearRead: 'always' },
  smove: { ...set, ...createsLast },
  spop: set,
  srandmember: set,
  srem: set,
  sscan: set,
  sunion: set,
  sunionstore: { ...set, ...creates },
  sdiffcard: { ...set, ...numkeys(1) },
  sunioncard: { ...set, ...numkeys(1) },
} as const satisfies PolicyRows;
