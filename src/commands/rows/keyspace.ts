/** Keys, whatever their values are. */
import { all, any, keyword, type PolicyRow, type PolicyRows, split } from './row.js';

const keyspace = { acl: ['keyspace'] } as const satisfies PolicyRow;
const dangerousKeyspace = { acl: ['keyspace', 'dangerous'] } as const satisfies PolicyRow;
const sorting = { acl: ['set', 'sortedset', 'list', 'dangerous'] } as const satisfies PolicyRow;

export const KEYSPACE = {
  del: { ...keyspace, ...split('sum'), ownWrite: 'perhaps' },
  unlink: { ...keyspace, ...split('sum'), ownWrite: 'perhaps' },
  exists: { ...keyspace, ...split('sum') },
  touch: { ...keyspace, ...split('sum') },
  sort: { ...sorting, ...keyword(['store'], 2), special: 'sort' },
  sort_ro: { ...sorting, special: 'sort' },
  copy: { ...keyspace, special: 'copy' },
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
  expire: keyspace,
  expireat: keyspace,
  expiretime: { ...keyspace, missingReply: 'minus two' },
  'object|encoding': keyspace,
  'object|freq': keyspace,
  'object|idletime': keyspace,
  'object|refcount': keyspace,
  persist: keyspace,
  pexpire: keyspace,
  pexpireat: keyspace,
  pexpiretime: { ...keyspace, missingReply: 'minus two' },
  pttl: { ...keyspace, missingReply: 'minus two' },
  rename: keyspace,
  renamenx: keyspace,
  ttl: { ...keyspace, missingReply: 'minus two' },
  type: { ...keyspace, missingReply: 'none', nearRead: 'always' },
  restore: dangerousKeyspace,
} as const satisfies PolicyRows;
