/** Keys, whatever their values are. */
import {
  all,
  any,
  copies,
  createsLast,
  expiresAtMillisecond,
  expiresAtSecond,
  expiresInMilliseconds,
  expiresInSeconds,
  keyword,
  type PolicyRow,
  type PolicyRows,
  persists,
  restores,
  split,
} from './row.js';

const keyspace = { acl: ['keyspace'] } as const satisfies PolicyRow;
const dangerousKeyspace = { acl: ['keyspace', 'dangerous'] } as const satisfies PolicyRow;
const sorting = { acl: ['set', 'sortedset', 'list', 'dangerous'] } as const satisfies PolicyRow;

export const KEYSPACE = {
  del: { ...keyspace, ...split('sum'), ownWrite: 'perhaps' },
  unlink: { ...keyspace, ...split('sum'), ownWrite: 'perhaps' },
  exists: { ...keyspace, ...split('sum') },
  touch: { ...keyspace, ...split('sum') },
  sort: { ...sorting, ...createsLast, ...keyword(['store'], 2), special: 'sort' },
  sort_ro: { ...sorting, special: 'sort' },
  copy: { ...keyspace, ...copies, special: 'copy' },
  move: { ...keyspace, special: 'move' },
  flushall: { ...dangerousKeyspace, ...all('ok'), inTransaction: 'everywhere', onAllKeys: true },
  flushdb: { ...dangerousKeyspace, ...all('ok'), inTransaction: 'everywhere', onAllKeys: true },
  dbsize: { ...keyspace, ...all('sum'), onAllKeys: true },
  keys: { ...dangerousKeyspace, route: 'all', merge: 'concat', keys: { kind: 'none' }, onAllKeys: true },
  // Any key will do, and who is asked how it goes must not be silent because one node is.
  randomkey: { ...keyspace, ...all('random', 'rest'), onAllKeys: true },
  scan: { ...keyspace, route: 'scan' },
  'object|help': { ...keyspace, ...any },
  dump: keyspace,
  expire: { ...keyspace, ...expiresInSeconds },
  expireat: { ...keyspace, ...expiresAtSecond },
  expiretime: { ...keyspace, missingReply: 'minus two' },
  'object|encoding': keyspace,
  'object|freq': keyspace,
  'object|idletime': keyspace,
  'object|refcount': keyspace,
  persist: { ...keyspace, ...persists },
  pexpire: { ...keyspace, ...expiresInMilliseconds },
  pexpireat: { ...keyspace, ...expiresAtMillisecond },
  pexpiretime: { ...keyspace, missingReply: 'minus two' },
  pttl: { ...keyspace, missingReply: 'minus two' },
  rename: { ...keyspace, ...copies },
  renamenx: { ...keyspace, ...copies },
  ttl: { ...keyspace, missingReply: 'minus two' },
  type: { ...keyspace, missingReply: 'none', nearRead: 'always' },
  restore: { ...dangerousKeyspace, ...restores },
} as const satisfies PolicyRows;
