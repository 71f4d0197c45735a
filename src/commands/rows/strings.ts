/** Strings, bitmaps and HyperLogLogs. */
import {
  admin,
  creates,
  createsEvery,
  doesAnything,
  numkeys,
  type PolicyRow,
  type PolicyRows,
  setsWithMilliseconds,
  setsWithSeconds,
  split,
} from './row.js';

const string = { acl: ['string'] } as const satisfies PolicyRow;
const bitmap = { acl: ['bitmap'] } as const satisfies PolicyRow;
const hyperloglog = { acl: ['hyperloglog'] } as const satisfies PolicyRow;

export const STRINGS = {
  mget: { ...string, ...split('array'), cacheRead: 'array' },
  mset: { ...string, ...createsEvery, ...split('ok'), ownWrite: 'always' },
  msetex: { ...string, ...doesAnything, ...numkeys(1, 0, 2) },
  // It concerns one key, whatever its flags say.
  pfdebug: { ...hyperloglog, route: 'owner' },
  pfselftest: { ...hyperloglog, ...admin },
  append: { ...string, ...creates },
  decr: { ...string, ...creates, ownWrite: 'always' },
  decrby: { ...string, ...creates, ownWrite: 'always' },
  get: { ...string, cacheRead: 'key', missingReply: 'no key', nearRead: 'always' },
  getdel: { ...string, cacheRead: 'key', ownWrite: 'perhaps' },
  getex: { ...string, ttlGiven: { optionsFrom: 2 }, cacheRead: 'key' },
  getrange: { ...string, missingReply: 'empty', nearRead: 'always' },
  getset: { ...string, ...creates, cacheRead: 'key', ownWrite: 'always' },
  incr: { ...string, ...creates, ownWrite: 'always' },
  incrby: { ...string, ...creates, ownWrite: 'always' },
  incrbyfloat: { ...string, ...creates, ownWrite: 'always' },
  lcs: string,
  msetnx: { ...string, ...createsEvery },
  psetex: { ...string, ...setsWithMilliseconds, ownWrite: 'always' },
  set: { ...string, ...creates, ttlGiven: { optionsFrom: 3 }, ownWrite: 'set' },
  setex: { ...string, ...setsWithSeconds, ownWrite: 'always' },
  setnx: { ...string, ...creates },
  setrange: { ...string, ...creates, extends: 'bytes' },
  strlen: { ...string, missingReply: 'zero', nearRead: 'always' },
  substr: { ...string, missingReply: 'empty', nearRead: 'always' },
  delex: string,
  digest: string,
  increx: { ...string, ...doesAnything },
  bitcount: { ...bitmap, missingReply: 'zero', nearRead: 'always' },
  bitfield: { ...bitmap, ...creates },
  bitfield_ro: { ...bitmap, nearRead: 'always' },
  bitop: { ...bitmap, ...creates },
  bitpos: { ...bitmap, nearRead: 'always' },
  getbit: { ...bitmap, missingReply: 'zero', nearRead: 'always' },
  setbit: { ...bitmap, ...creates, extends: 'bits' },
  pfadd: { ...hyperloglog, ...creates },
  pfcount: { ...hyperloglog, replicated: true },
  pfmerge: { ...hyperloglog, ...creates },
} as const satisfies PolicyRows;
