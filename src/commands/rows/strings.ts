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
  mget: { ...string, ...split('array'), cacheRead: 'array', onReplicated: 'mget' },
  mset: { ...string, ...createsEvery, ...split('ok'), ownWrite: 'always', onReplicated: 'mset' },
  msetex: { ...string, ...doesAnything, ...numkeys(1, 0, 2), onReplicated: 'no merge' },
  // It concerns one key, whatever its flags say.
  pfdebug: { ...hyperloglog, route: 'owner' },
  pfselftest: { ...hyperloglog, ...admin },
  append: { ...string, ...creates, onReplicated: 'no merge' },
  decr: { ...string, ...creates, ownWrite: 'always', onReplicated: 'decr' },
  decrby: { ...string, ...creates, ownWrite: 'always', onReplicated: 'decrby' },
  get: { ...string, cacheRead: 'key', missingReply: 'no key', nearRead: 'always', onReplicated: 'get' },
  getdel: { ...string, cacheRead: 'key', ownWrite: 'perhaps', onReplicated: 'getdel' },
  getex: { ...string, ttlGiven: { optionsFrom: 2 }, cacheRead: 'key', onReplicated: 'getex' },
  getrange: { ...string, missingReply: 'empty', nearRead: 'always' },
  getset: { ...string, ...creates, cacheRead: 'key', ownWrite: 'always', onReplicated: 'no merge' },
  incr: { ...string, ...creates, ownWrite: 'always', onReplicated: 'incr' },
  incrby: { ...string, ...creates, ownWrite: 'always', onReplicated: 'incrby' },
  incrbyfloat: { ...string, ...creates, ownWrite: 'always', onReplicated: 'no merge' },
  lcs: string,
  msetnx: { ...string, ...createsEvery, onReplicated: 'no merge' },
  psetex: { ...string, ...setsWithMilliseconds, ownWrite: 'always', onReplicated: 'psetex' },
  set: { ...string, ...creates, ttlGiven: { optionsFrom: 3 }, ownWrite: 'set', onReplicated: 'set' },
  setex: { ...string, ...setsWithSeconds, ownWrite: 'always', onReplicated: 'setex' },
  setnx: { ...string, ...creates, onReplicated: 'no merge' },
  setrange: { ...string, ...creates, extends: 'bytes', onReplicated: 'no merge' },
  strlen: { ...string, missingReply: 'zero', nearRead: 'always', onReplicated: 'strlen' },
  substr: { ...string, missingReply: 'empty', nearRead: 'always' },
  delex: { ...string, onReplicated: 'no merge' },
  digest: string,
  increx: { ...string, ...doesAnything, onReplicated: 'no merge' },
  bitcount: { ...bitmap, missingReply: 'zero', nearRead: 'always' },
  bitfield: { ...bitmap, ...creates, onReplicated: 'no merge' },
  bitfield_ro: { ...bitmap, nearRead: 'always' },
  bitop: { ...bitmap, ...creates, onReplicated: 'no merge' },
  bitpos: { ...bitmap, nearRead: 'always' },
  getbit: { ...bitmap, missingReply: 'zero', nearRead: 'always' },
  setbit: { ...bitmap, ...creates, extends: 'bits', onReplicated: 'no merge' },
  pfadd: { ...hyperloglog, ...creates },
  pfcount: { ...hyperloglog, replicated: true },
  pfmerge: { ...hyperloglog, ...creates },
} as const satisfies PolicyRows;
