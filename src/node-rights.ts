/**
 * Every command that the proxy itself sends to nodes, beside those of clients, and what for: the one table behind the
 * documentation, the `ACL SETUSER` lines, and whoever examines a node before it joins. A command that is sent to nodes
 * and is not here yet belongs here.
 */

/**
 * `serve`: nodes cannot be served without it, or not without loss; `change`: keys cannot be moved without it;
 * `feature`: only what `purpose` names is lost.
 */
export type RightNeed = 'serve' | 'change' | 'feature';

export interface NodeRight {
  /** As ACL rules name it: `restore`, `client|kill`. */
  readonly command: string;
  readonly need: RightNeed;
  readonly purpose: string;
  /** Redis counts it among `@admin` or `@dangerous`, so a user without these categories must be given it by name. */
  readonly dangerous: boolean;
  /** Sent to a node, this changes nothing there, and is refused when the right lacks; null: there is no such command. */
  readonly probe: readonly string[] | null;
}

/** A key that no client can write. */
export const PROBE_KEY = '__ringproxy__probe';
/** Name of the connections that look what a node is. */
export const INSPECTION = 'ringproxy-inspect';
/** The number of no connection. */
const NOBODY = '9223372036854775807';

const right = (
  need: RightNeed,
  command: string,
  purpose: string,
  probe: readonly string[] | null,
  dangerous = false,
): NodeRight => ({ command, need, purpose, dangerous, probe });

/**
 * With what large values are moved in pieces, and a probe of each that has one: some change the node whatever they are given.
 * `type` and the commands for lengths are needed as well.
 */
const PIECES: readonly (readonly [string, readonly string[] | null])[] = [
  ['getrange', ['GETRANGE', PROBE_KEY, '0', '0']],
  ['set', ['SET', PROBE_KEY, '', 'NX', 'XX']],
  ['setnx', null],
  ['hscan', ['HSCAN', PROBE_KEY, '0']],
  ['sscan', ['SSCAN', PROBE_KEY, '0']],
  ['zscan', ['ZSCAN', PROBE_KEY, '0']],
  ['lrange', ['LRANGE', PROBE_KEY, '0', '0']],
  ['xrange', ['XRANGE', PROBE_KEY, '-', '+', 'COUNT', '1']],
  ['xpending', ['XPENDING', PROBE_KEY, PROBE_KEY]],
  ['xinfo|groups', ['XINFO', 'GROUPS', PROBE_KEY]],
  ['xinfo|consumers', ['XINFO', 'CONSUMERS', PROBE_KEY, PROBE_KEY]],
  ['hset', ['HSET', PROBE_KEY, 'field', 'value', 'another']],
  ['sadd', null],
  ['zadd', ['ZADD', PROBE_KEY, 'no-score', 'member']],
  ['rpush', null],
  ['xadd', ['XADD', PROBE_KEY, 'no-id', 'field', 'value']],
  ['xdel', ['XDEL', PROBE_KEY, '1']],
  ['xtrim', ['XTRIM', PROBE_KEY, 'MAXLEN', '0']],
  ['xclaim', ['XCLAIM', PROBE_KEY, PROBE_KEY, PROBE_KEY, '0', '1']],
  ['xsetid', ['XSETID', PROBE_KEY, '1']],
  ['xgroup|create', ['XGROUP', 'CREATE', PROBE_KEY, PROBE_KEY, '0']],
  ['xgroup|createconsumer', ['XGROUP', 'CREATECONSUMER', PROBE_KEY, PROBE_KEY, PROBE_KEY]],
  ['xgroup|destroy', ['XGROUP', 'DESTROY', PROBE_KEY, PROBE_KEY]],
  ['persist', ['PERSIST', PROBE_KEY]],
  ['rename', ['RENAME', PROBE_KEY, PROBE_KEY]],
  ['renamenx', ['RENAMENX', PROBE_KEY, PROBE_KEY]],
];

/** What tells how large a value is, where MEMORY USAGE does not. */
const LENGTHS: readonly string[] = ['type', 'strlen', 'llen', 'hlen', 'scard', 'zcard', 'xlen'];

export const NODE_RIGHTS: readonly NodeRight[] = [
  right('serve', 'ping', 'to see whether it answers', ['PING']),
  right('serve', 'auth', 'to log in', null),
  right('serve', 'hello', 'connections of RESP3', null),
  right('serve', 'select', 'connections of databases but 0', ['SELECT', '0']),
  right('serve', 'client|setname', "to tell the proxy's connections from others", ['CLIENT', 'SETNAME', INSPECTION]),
  right('serve', 'client|id', 'to know its connections by number', ['CLIENT', 'ID']),
  right('serve', 'client|info', 'to know its connections by address', ['CLIENT', 'INFO']),
  right(
    'serve',
    'client|kill',
    'to drop connections on which a command may still run late',
    ['CLIENT', 'KILL', 'ID', NOBODY],
    true,
  ),
  right('serve', 'info', 'health, keys and memory', ['INFO', 'server'], true),
  right('feature', 'command', 'commands of modules and newer versions', ['COMMAND', 'COUNT']),
  right(
    'change',
    'client|list',
    'to find connections of other proxies, and to drop those of proxies that are gone',
    ['CLIENT', 'LIST'],
    true,
  ),
  right('change', 'scan', 'to find the keys that move, and those that another caching type would hide', [
    'SCAN',
    '0',
    'COUNT',
    '1',
  ]),
  right('change', 'eval', 'to read a batch of keys at once', ['EVAL', 'return 1', '0']),
  right('change', 'memory|usage', 'to tell large values from others', ['MEMORY', 'USAGE', PROBE_KEY]),
  ...LENGTHS.map((command) =>
    right('change', command, 'the same, without MEMORY USAGE', [command.toUpperCase(), PROBE_KEY]),
  ),
  right('change', 'dump', 'to read values', ['DUMP', PROBE_KEY]),
  right('change', 'exists', 'to look for keys after a node was restarted', ['EXISTS', PROBE_KEY]),
  right('change', 'time', 'to compare clocks', ['TIME']),
  right('change', 'pexpiretime', 'to read times of expiry', ['PEXPIRETIME', PROBE_KEY]),
  right('change', 'pexpireat', 'to keep times of expiry', ['PEXPIREAT', PROBE_KEY, '1']),
  right('change', 'pttl', 'to read times to live', ['PTTL', PROBE_KEY]),
  right('change', 'restore', 'to write values', ['RESTORE', PROBE_KEY, '0', ''], true),
  right('change', 'unlink', 'to remove what has moved', ['UNLINK', PROBE_KEY]),
  right('change', 'migrate', 'to move large values', ['MIGRATE', '127.0.0.1', '1', PROBE_KEY, '0', '1'], true),
  ...PIECES.map(([command, probe]) => right('change', command, 'to move large values in pieces', probe)),
  right('change', 'function|list', 'to compare functions', ['FUNCTION', 'LIST', 'LIBRARYNAME', PROBE_KEY]),
  right('change', 'function|dump', 'to copy functions', ['FUNCTION', 'DUMP']),
  right('change', 'function|restore', 'to copy functions', ['FUNCTION', 'RESTORE', '']),
  right(
    'feature',
    'config|get',
    'to warn of settings that differ from those of the other nodes',
    ['CONFIG', 'GET', 'databases'],
    true,
  ),
  right(
    'feature',
    'role',
    'to tell a master from a replica, at nodes that fail over or whose replicas are read from',
    ['ROLE'],
    true,
  ),
  right(
    'feature',
    'flushall',
    '`ring add --flush`, and nodes that come back after they were ejected, or restarted (else it is done key by key)',
    null,
    true,
  ),
  right('feature', 'flushdb', 'ejected nodes of which others use databases, too', null, true),
  right('feature', 'save', 'to leave nothing of before on the disk of a node that is emptied', null, true),
  right('feature', 'bgsave', 'the same, where others use databases of it, too', null, true),
  right('feature', 'pexpire', '`default-ttl` and `max-ttl` of key groups', ['PEXPIRE', PROBE_KEY, '1']),
  right('feature', 'multi', 'transactions', null),
  right('feature', 'exec', 'transactions', null),
  right('feature', 'unwatch', 'transactions', ['UNWATCH']),
  right('feature', 'script|load', 'scripts', ['SCRIPT', 'LOAD', 'return 1']),
  right('feature', 'subscribe', 'publish/subscribe', null),
  right('feature', 'psubscribe', 'publish/subscribe', null),
  right('feature', 'ssubscribe', 'publish/subscribe', null),
  right('feature', 'unsubscribe', 'publish/subscribe', null),
  right('feature', 'punsubscribe', 'publish/subscribe', null),
  right('feature', 'sunsubscribe', 'publish/subscribe', null),
  right('feature', 'client|tracking', 'client-side caching', ['CLIENT', 'TRACKING', 'OFF']),
  right(
    'feature',
    'client|unblock',
    'commands that wait (BLPOP and its like), when their client leaves or the ring changes',
    ['CLIENT', 'UNBLOCK', NOBODY],
    true,
  ),
  right('feature', 'xinfo|stream', 'XREAD with BLOCK and $, of several nodes or when the ring changes', [
    'XINFO',
    'STREAM',
    PROBE_KEY,
  ]),
];

/** Commands of clients that Redis counts as dangerous and that the proxy takes from them: for nodes that should allow them. */
const CLIENTS_MAY_WANT = ['keys', 'sort', 'sort_ro', 'slowlog', 'latency', 'lastsave'];

const NEEDED_FOR: Readonly<Record<RightNeed, string>> = {
  serve: 'always',
  change: 'when the ring changes',
  feature: 'for this only',
};

/**
 * The rules of a user for `ACL SETUSER`, without its name and password.
 * @param need `change`: for all that the proxy does; `serve`: the least, with which the ring cannot change
 */
export function aclRules(need: 'serve' | 'change'): string {
  if (need === 'serve') {
    return `~* &* -@all +@read +@write +@connection -@admin -@dangerous ${named((row) => row.need === 'serve')}`;
  }
  return `~* &* +@all -@admin -@dangerous ${named((row) => row.dangerous)} ${CLIENTS_MAY_WANT.map(plus).join(' ')}`;
}

/**
 * What an operator is told where the proxy may not send a node what it needs there.
 * @param commands what it may not send
 * @param unknown those of them that the server does not know: no ACL changes that
 */
export function hintOnRights(commands: readonly string[], unknown: readonly string[]): string {
  const rights = `give its user the rights: ACL SETUSER … ${aclRules('change')}`;
  if (unknown.length === 0) return rights;
  const names = unknown.join(', ');
  const served = `the server does not know ${names}, which no ACL changes: take rename-command for that out of its configuration and start it again, or use a newer version where it is older`;
  return unknown.length === commands.length ? served : `${rights}; ${served}`;
}

/** @returns the table of rights, in Markdown, with those of one purpose in one row */
export function rightsReference(): string {
  const purposes = new Map<string, NodeRight[]>();
  for (const row of NODE_RIGHTS) {
    const key = `${row.need} ${row.purpose}`;
    purposes.set(key, [...(purposes.get(key) ?? []), row]);
  }
  const rows = [...purposes.values()].map((same) => {
    const commands = same.map((row) => `\`+${row.command.replace('|', '\\|')}\``).join(' ');
    return `| ${commands} | ${NEEDED_FOR[(same[0] as NodeRight).need]} | ${(same[0] as NodeRight).purpose} |`;
  });
  return ['| right | needed | what for |', '|---|---|---|', ...rows].join('\n');
}

function named(wanted: (row: NodeRight) => boolean): string {
  return NODE_RIGHTS.filter(wanted)
    .map((row) => plus(row.command))
    .join(' ');
}

function plus(command: string): string {
  return `+${command}`;
}

/** Older versions do not have them, or keys go another way without them. */
const DISPENSABLE: readonly string[] = [
  ...['eval', 'memory|usage', ...LENGTHS],
  ...PIECES.map(([command]) => command),
  ...['time', 'function|list', 'function|dump', 'function|restore'],
];

/** One of each is enough: to read values, and to read when they expire. */
const ONE_OF: readonly (readonly string[])[] = [
  ['dump', 'migrate'],
  ['pexpiretime', 'pttl'],
];

/**
 * What becomes of it where a right lacks.
 * @param needed as `lackingForMoves` says
 */
export function withoutRight({ command, need }: NodeRight, needed: boolean): string {
  if (needed && need === 'serve') return 'clients are not served, or not without loss, and the ring cannot change';
  if (needed) return 'no key can be moved from there or to there, so the ring cannot change';
  if (PIECES.some(([name]) => name === command)) return 'large values move whole, which stops their nodes meanwhile';
  if (LENGTHS.includes(command)) return 'MEMORY USAGE tells it';
  return WITHOUT[command] ?? 'only that does not work';
}

const WITHOUT: Readonly<Record<string, string>> = {
  command: 'clients are refused commands that this version of the proxy does not know',
  eval: 'plain commands read them, which takes one more way to the node and back for each batch',
  'memory|usage': 'a value is judged by its length: few elements that are large count as small',
  dump: 'all keys go by MIGRATE',
  migrate: 'what cannot be moved in pieces goes through the proxy',
  pexpiretime: 'PTTL tells them',
  pttl: 'PEXPIRETIME tells them',
  time: 'the clocks of both nodes are taken to be the same',
  'function|list': 'functions have to be loaded on each node by yourself',
  'function|dump': 'functions have to be loaded on each node by yourself',
  'function|restore': 'functions have to be loaded on each node by yourself',
  'config|get': 'nobody is warned',
};

/**
 * @param lacking what the proxy may not send to a node
 * @returns those commands without which no key can be moved from there or to there
 */
export function lackingForMoves(lacking: readonly NodeRight[]): string[] {
  const names = lacking.filter((row) => row.need !== 'feature').map((row) => row.command);
  const needed = names.filter((name) => !DISPENSABLE.includes(name) && !ONE_OF.flat().includes(name));
  const neither = ONE_OF.filter((others) => others.every((name) => names.includes(name)));
  const sizes = names.includes('memory|usage') ? names.filter((name) => LENGTHS.includes(name)) : [];
  return [...needed, ...sizes, ...neither.flat()];
}
