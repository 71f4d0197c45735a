/** The servers: what they say of themselves, their administration, and what is refused since it would break the ring. */
import type { Waits } from '../columns.js';
import { admin, all, any, OWN_SERVER, type PolicyRow, type PolicyRows, proxy, refused, waitsAtEnd } from './row.js';

const connection = { acl: ['connection'] } as const satisfies PolicyRow;
const dangerous = { acl: ['dangerous'] } as const satisfies PolicyRow;
const dangerousKeyspace = { acl: ['keyspace', 'dangerous'] } as const satisfies PolicyRow;
const administration = { acl: ['admin', 'dangerous'] } as const satisfies PolicyRow;
const REPLICATION = 'the proxy is not part of replication';
const LIFECYCLE = "a node's life is not for clients to end";
const SHARDED = 'nodes cannot do it at the same instant';
const changesUsers = {
  administration: 'users',
  reason: 'users are changed in the configuration (users, users-file), which is read again on SIGHUP',
} as const satisfies PolicyRow;
/** How many replicas have acknowledged, and how long that is waited for. */
const waitsForReplicas = { ...waitsAtEnd, unit: 'milliseconds' } as const satisfies Waits;

export const SERVER = {
  info: { ...dangerous, ...all('info', 'rest') },
  command: { ...connection, ...any },
  'command|count': { ...connection, ...any },
  'command|docs': { ...connection, ...any },
  'command|info': { ...connection, ...any },
  'command|getkeys': { ...connection, ...any },
  'command|getkeysandflags': { ...connection, ...any },
  'command|list': { ...connection, ...any },
  'command|help': { ...connection, ...any },
  time: any,
  lolwut: any,
  'config|get': { ...proxy, tolerance: 'rest' },
  'config|help': any,
  'memory|help': any,
  'acl|whoami': { ...proxy, inTransaction: 'here' },
  'acl|cat': { ...proxy, inTransaction: 'here' },
  'acl|genpass': { ...proxy, inTransaction: 'here' },
  'acl|help': { ...proxy, inTransaction: 'here' },
  'acl|log': proxy,
  wait: { ...connection, ...proxy, waits: waitsForReplicas, inTransaction: 'by node' },
  waitaof: { ...connection, ...proxy, waits: waitsForReplicas, inTransaction: 'by node' },
  monitor: proxy,
  'config|set': { ...admin, administration: 'settings' },
  'config|resetstat': admin,
  'config|rewrite': admin,
  debug: {
    ...admin,
    keys: {
      kind: 'looks',
      one: ['object', 'sdslen', 'listpack', 'quicklist', 'htstats-key'],
      several: ['digest-value'],
    },
    administration: 'debug',
  },
  'slowlog|reset': admin,
  'latency|reset': { ...admin, merge: 'sum' },
  'memory|purge': admin,
  'acl|setuser': { ...admin, ...changesUsers },
  'acl|deluser': { ...admin, ...changesUsers },
  'acl|load': { ...admin, ...changesUsers },
  'acl|save': { ...admin, ...changesUsers },
  'acl|dryrun': { ...proxy, inTransaction: 'here' },
  'acl|getuser': { ...proxy, inTransaction: 'here' },
  'acl|list': { ...proxy, inTransaction: 'here' },
  'acl|users': { ...proxy, inTransaction: 'here' },
  'slowlog|get': all('slowlog', 'rest'),
  'slowlog|len': all('sum', 'rest'),
  'slowlog|help': any,
  'latency|doctor': all('texts', 'rest'),
  'latency|graph': all('texts', 'rest'),
  'latency|histogram': all('histograms', 'rest'),
  'latency|history': all('history', 'rest'),
  'latency|latest': all('latest', 'rest'),
  'latency|help': any,
  'memory|doctor': all('texts', 'rest'),
  'memory|malloc-stats': all('texts', 'rest'),
  // Figures of the whole that could not say what they lack; INFO can.
  'memory|stats': all('stats'),
  shutdown: { ...refused(LIFECYCLE), inTransaction: 'never' },
  replicaof: refused(REPLICATION),
  slaveof: refused(REPLICATION),
  failover: refused(REPLICATION),
  psync: { ...refused(REPLICATION), inTransaction: 'never' },
  sync: { ...refused(REPLICATION), inTransaction: 'never' },
  replconf: refused(REPLICATION),
  role: { ...administration, ...proxy, inTransaction: 'here' },
  migrate: { ...dangerousKeyspace, ...refused('keys move with `ringproxy ring`') },
  'restore-asking': { ...dangerousKeyspace, ...refused('it belongs to Redis Cluster') },
  'module|list': any,
  'module|help': any,
  module: refused(OWN_SERVER),
  bgsave: admin,
  bgrewriteaof: admin,
  save: { ...admin, inTransaction: 'never' },
  // Up to then *every* node has saved.
  lastsave: { ...administration, ...all('earliest') },
  swapdb: { ...dangerousKeyspace, ...refused(SHARDED) },
} as const satisfies PolicyRows;
