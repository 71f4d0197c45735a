/**
 * What the library's data does not say: how a command is routed, how replies merge, where odd keys stand,
 * and why a command is refused. One row a command; a command that is not here is routed by its keys.
 */
import type { KeySpec, Merge, Route, Special, Tolerance } from './command.js';

export interface PolicyRow {
  readonly route?: Route;
  readonly merge?: Merge;
  readonly tolerance?: Tolerance;
  readonly keys?: KeySpec;
  readonly special?: Special;
  readonly reason?: string;
}

const REPLICATION = 'the proxy is not part of replication';
const LIFECYCLE = "a node's life is not for clients to end";
const SHARDED = 'nodes cannot do it at the same instant';
const OWN_SERVER = 'connect to the node itself';

const all = (merge: Merge, tolerance: Tolerance = 'nothing'): PolicyRow => ({ route: 'all', merge, tolerance });
const split = (merge: Merge): PolicyRow => ({ route: 'split', merge });
const refused = (reason: string): PolicyRow => ({ route: 'refused', reason });
const proxy: PolicyRow = { route: 'proxy' };
const any: PolicyRow = { route: 'any' };
const admin: PolicyRow = { route: 'admin', merge: 'ok', reason: 'it changes the nodes; allow it with admin-commands' };
const numkeys = (at: number, also = 0, step = 1): PolicyRow => ({
  keys: { kind: 'numkeys', at, first: at + 1, step, also },
});
const keyword = (words: readonly string[], from: number): PolicyRow => ({
  keys: { kind: 'keyword', first: 1, words, from },
});
const streams: PolicyRow = { keys: { kind: 'streams' } };

export const POLICY = {
  // Split over the owners of their keys.
  mget: split('array'),
  mset: split('ok'),
  del: split('sum'),
  unlink: split('sum'),
  exists: split('sum'),
  touch: split('sum'),

  // One owner; keys that the first/last/step columns do not find.
  eval: { ...numkeys(2), special: 'script' },
  evalsha: { ...numkeys(2), special: 'digest' },
  eval_ro: { ...numkeys(2), special: 'script' },
  evalsha_ro: { ...numkeys(2), special: 'digest' },
  fcall: { ...numkeys(2), special: 'code' },
  fcall_ro: { ...numkeys(2), special: 'code' },
  zunion: numkeys(1),
  zinter: numkeys(1),
  zdiff: numkeys(1),
  zintercard: numkeys(1),
  sintercard: numkeys(1),
  blmpop: numkeys(2),
  bzmpop: numkeys(2),
  lmpop: numkeys(1),
  zmpop: numkeys(1),
  msetex: numkeys(1, 0, 2),
  zunionstore: numkeys(2, 1),
  zinterstore: numkeys(2, 1),
  zdiffstore: numkeys(2, 1),
  sort: { ...keyword(['store'], 2), special: 'sort' },
  sort_ro: { special: 'sort' },
  copy: { special: 'copy' },
  move: { special: 'move' },
  georadius: keyword(['store', 'storedist'], 6),
  georadiusbymember: keyword(['store', 'storedist'], 5),
  xread: streams,
  xreadgroup: streams,

  // It concerns one key, whatever its flags say.
  pfdebug: { route: 'owner' },

  // Every node. Where one of them does not answer, each command either fails or does without it: see `Tolerance`.
  flushall: all('ok'),
  flushdb: all('ok'),
  dbsize: all('sum'),
  keys: { route: 'all', merge: 'concat', keys: { kind: 'none' } },
  // Any key will do, and who is asked how it goes must not be silent because one node is.
  randomkey: all('random', 'rest'),
  info: all('info', 'rest'),
  'script|load': { ...all('ok', 'down'), special: 'load' },
  'script|flush': { ...all('ok'), special: 'flush' },
  'script|exists': all('least', 'down'),
  'script|kill': all('one', 'errors'),
  'function|load': all('ok', 'down'),
  'function|delete': all('ok'),
  'function|flush': all('ok'),
  'function|restore': all('ok', 'down'),
  'function|kill': all('one', 'errors'),
  'function|stats': all('running', 'down'),
  scan: { route: 'scan' },

  // One node, whichever.
  command: any,
  'command|count': any,
  'command|docs': any,
  'command|info': any,
  'command|getkeys': any,
  'command|getkeysandflags': any,
  'command|list': any,
  'command|help': any,
  'pubsub|channels': any,
  'pubsub|numpat': any,
  'pubsub|shardchannels': any,
  'pubsub|help': any,
  time: any,
  lolwut: any,
  'config|get': { ...proxy, tolerance: 'rest' },
  'config|help': any,
  'script|help': any,
  'function|list': any,
  'function|dump': any,
  'function|help': any,
  'object|help': any,
  'memory|help': any,
  'xinfo|help': any,
  'xgroup|help': any,
  'acl|whoami': proxy,
  'acl|cat': any,
  'acl|genpass': any,
  'acl|help': any,

  // The proxy itself.
  ping: proxy,
  echo: proxy,
  quit: proxy,
  select: proxy,
  hello: proxy,
  auth: proxy,
  reset: proxy,
  multi: proxy,
  exec: proxy,
  discard: proxy,
  watch: proxy,
  unwatch: proxy,
  wait: proxy,
  waitaof: proxy,
  subscribe: proxy,
  unsubscribe: proxy,
  psubscribe: proxy,
  punsubscribe: proxy,
  ssubscribe: proxy,
  sunsubscribe: proxy,
  publish: proxy,
  spublish: proxy,
  'pubsub|numsub': proxy,
  'pubsub|shardnumsub': proxy,
  'cluster|info': proxy,
  'cluster|slots': proxy,
  'cluster|shards': proxy,
  'cluster|nodes': proxy,
  'cluster|myid': proxy,
  'cluster|myshardid': proxy,
  'cluster|keyslot': proxy,
  'cluster|links': proxy,
  'cluster|replicas': proxy,
  'cluster|slaves': proxy,
  'cluster|count-failure-reports': proxy,
  readonly: proxy,
  readwrite: proxy,
  asking: proxy,
  monitor: proxy,
  'client|id': proxy,
  'client|getname': proxy,
  'client|setname': proxy,
  'client|setinfo': proxy,
  'client|info': proxy,
  'client|list': proxy,
  'client|kill': proxy,
  'client|reply': proxy,
  'client|no-evict': proxy,
  'client|no-touch': proxy,
  'client|getredir': proxy,
  'client|unblock': proxy,
  'client|help': any,
  'client|tracking': proxy,
  'client|caching': proxy,
  'client|trackinginfo': proxy,
  'client|pause': proxy,
  'client|unpause': proxy,

  // Administration of the nodes, by permission.
  pfselftest: admin,
  'config|set': admin,
  'config|resetstat': admin,
  'config|rewrite': admin,
  debug: {
    ...admin,
    keys: {
      kind: 'looks',
      one: ['object', 'sdslen', 'listpack', 'quicklist', 'htstats-key'],
      several: ['digest-value'],
    },
  },
  'slowlog|reset': admin,
  'latency|reset': { ...admin, merge: 'sum' },
  'memory|purge': admin,
  'acl|setuser': admin,
  'acl|deluser': admin,
  'acl|load': admin,
  'acl|save': admin,
  'acl|log': admin,
  'script|debug': refused(OWN_SERVER),
  'acl|dryrun': proxy,
  'acl|getuser': proxy,
  'acl|list': proxy,
  'acl|users': proxy,
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

  // Refused: what would break the ring.
  shutdown: refused(LIFECYCLE),
  replicaof: refused(REPLICATION),
  slaveof: refused(REPLICATION),
  failover: refused(REPLICATION),
  psync: refused(REPLICATION),
  sync: refused(REPLICATION),
  replconf: refused(REPLICATION),
  role: proxy,
  migrate: refused('keys move with `ringproxy ring`'),
  'cluster|countkeysinslot': refused('keys are not kept by slots'),
  'cluster|getkeysinslot': refused('keys are not kept by slots'),
  cluster: refused('nodes are managed with `ringproxy ring`'),
  'restore-asking': refused('it belongs to Redis Cluster'),
  'module|list': any,
  'module|help': any,
  module: refused(OWN_SERVER),
  bgsave: admin,
  bgrewriteaof: admin,
  save: admin,
  // Up to then *every* node has saved.
  lastsave: all('earliest'),
  swapdb: refused(SHARDED),
} as const satisfies Record<string, PolicyRow>;
