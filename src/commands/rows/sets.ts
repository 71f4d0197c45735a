/** Sets. */
import { creates, createsLast, numkeys, type PolicyRow, type PolicyRows, readsLent, writesFirst } from './row.js';

const set = { acl: ['set'] } as const satisfies PolicyRow;

export const SETS = {
  sintercard: { ...readsLent, ...set, ...numkeys(1) },
  sadd: { ...set, ...creates, onReplicated: 'sadd' },
  scard: { ...set, missingReply: 'zero', nearRead: 'always', onReplicated: 'scard' },
  sdiff: { ...set, ...readsLent },
  sdiffstore: { ...writesFirst, ...set, ...creates },
  sinter: { ...set, ...readsLent },
  sinterstore: { ...writesFirst, ...set, ...creates },
  sismember: { ...set, missingReply: 'zero', nearRead: 'always', onReplicated: 'sismember' },
  smembers: { ...set, missingReply: 'empty', nearRead: 'always', onReplicated: 'smembers' },
  smismember: { ...set, nearRead: 'always', onReplicated: 'smismember' },
  smove: { ...set, ...createsLast, crossNode: 'moves member', onReplicated: 'no merge' },
  spop: { ...set, onReplicated: 'no merge' },
  srandmember: set,
  srem: { ...set, onReplicated: 'srem' },
  sscan: set,
  sunion: { ...set, ...readsLent },
  sunionstore: { ...writesFirst, ...set, ...creates },
  sdiffcard: { ...readsLent, ...set, ...numkeys(1) },
  sunioncard: { ...readsLent, ...set, ...numkeys(1) },
} as const satisfies PolicyRows;
