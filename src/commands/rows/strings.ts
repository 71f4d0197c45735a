/** Strings, bitmaps and HyperLogLogs. */
import { admin, numkeys, type PolicyRow, type PolicyRows, split } from './row.js';

const string = { acl: ['string'] } as const satisfies PolicyRow;
const bitmap = { acl: ['bitmap'] } as const satisfies PolicyRow;
const hyperloglog = { acl: ['hyperloglog'] } as const satisfies PolicyRow;

export const STRINGS = {
  mget: { ...string, ...split('array'), cacheRead: 'array' },
  mset: { ...string, ...split('ok'), ownWrite: 'always' },
  msetex: { ...string, ...numkeys(1, 0, 2) },
  // It concerns one key, whatever its flags say.
  pfdebug: { ...hyperloglog, route: 'owner' },
  pfselftest: { ...hyperloglog, ...admin },
  append: string,
  decr: { ...string, ownWrite: 'always' },
  decrby: { ...string, ownWrite: 'always' },
  get: { ...string, cacheRead: 'key', missingReply: 'no key', nearRead: 'always' },
  getdel: { ...string, cacheRead: 'key', ownWrite: 'perhaps' },
  getex: { ...string, cacheRead: 'key' },
  getrange: { ...string, missingReply: 'empty', nearRead: 'always' },
  getset: { ...string, cacheRead: 'key', ownWrite: 'always' },
  incr: { ...string, ownWrite: 'always' },
  incrby: { ...string, ownWrite: 'always' },
  incrbyfloat: { ...string, ownWrite: 'always' },
  lcs: string,
  msetnx: string,
  psetex: { ...string, ownWrite: 'always' },
  set: { ...string, ownWrite: 'set' },
  setex: { ...string, ownWrite: 'always' },
  setnx: string,
  setrange: string,
  strlen: { ...string, missingReply: 'zero', nearRead: 'always' },
  substr: { ...string, missingReply: 'empty', nearRead: 'always' },
  delex: string,
  digest: string,
  increx: string,
  bitcount: { ...bitmap, missingReply: 'zero', nearRead: 'always' },
  bitfield: bitmap,
  bitfield_ro: { ...bitmap, nearRead: 'always' },
  bitop: bitmap,
  bitpos: { ...bitmap, nearRead: 'always' },
  getbit: { ...bitmap, missingReply: 'zero', nearRead: 'always' },
  setbit: bitmap,
  pfadd: hyperloglog,
  pfcount: { ...hyperloglog, replicated: true },
  pfmerge: hyperloglog,
} as const satisfies PolicyRows;
