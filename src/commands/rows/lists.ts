/** Lists. */
import {
  creates,
  createsLast,
  numkeys,
  type PolicyRow,
  type PolicyRows,
  waitsToMove,
  waitsToTake,
  waitsToTakeSome,
} from './row.js';

const list = { acl: ['list'] } as const satisfies PolicyRow;

export const LISTS = {
  blmpop: { ...list, ...numkeys(2), ...waitsToTakeSome('elements') },
  lmpop: { ...list, ...numkeys(1), crossNode: 'pops first' },
  blmove: { ...list, ...createsLast, ...waitsToMove },
  blpop: { ...list, ...waitsToTake('first') },
  brpop: { ...list, ...waitsToTake('last') },
  brpoplpush: { ...list, ...createsLast, ...waitsToMove },
  lindex: { ...list, missingReply: 'nil', nearRead: 'always' },
  linsert: list,
  llen: { ...list, missingReply: 'zero', nearRead: 'always' },
  lmove: { ...list, ...createsLast, crossNode: 'moves element' },
  lpop: list,
  lpos: { ...list, nearRead: 'always' },
  lpush: { ...list, ...creates },
  lpushx: list,
  lrange: { ...list, missingReply: 'empty', nearRead: 'always' },
  lrem: list,
  lset: list,
  ltrim: list,
  rpop: list,
  rpoplpush: { ...list, ...createsLast, crossNode: 'moves element' },
  rpush: { ...list, ...creates },
  rpushx: list,
  lmovem: { ...list, ...createsLast },
  blmovem: { ...list, ...createsLast },
} as const satisfies PolicyRows;
