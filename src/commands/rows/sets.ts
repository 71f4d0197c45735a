/** Sets. */
import { creates, createsLast, numkeys, type PolicyRow, type PolicyRows } from './row.js';

const set = { acl: ['set'] } as const satisfies PolicyRow;

export const SETS = {
  sintercard: { ...set, ...numkeys(1) },
  sadd: { ...set, ...creates, onReplicated: 'sadd' },
  scard: { ...set, missingReply: 'zero', nearRead: 'always', onReplicated: 'scard' },
  sdiff: set,
  sdiffstore: { ...set, ...creates },
  sinter: set,
  sinterstore: { ...set, ...creates },
  sismember: { ...set, missingReply: 'zero', nearRead: 'always', onReplicated: 'sismember' },
  smembers: { ...set, missingReply: 'empty', nearRead: 'always', onReplicated: 'smembers' },
  smismember: { ...set, nearRead: 'always', onReplicated: 'smismember' },
  smove: { ...set, ...createsLast, onReplicated: 'no merge' },
  spop: { ...set, onReplicated: 'no merge' },
  srandmember: set,
  srem: { ...set, onReplicated: 'srem' },
  sscan: set,
  sunion: set,
  sunionstore: { ...set, ...creates },
  sdiffcard: { ...set, ...numkeys(1) },
  sunioncard: { ...set, ...numkeys(1) },
} as const satisfies PolicyRows;
