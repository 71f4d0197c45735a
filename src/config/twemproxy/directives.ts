/** twemproxy's directives, one row each: what it becomes in ringproxy's configuration, or why it cannot. */

import { formatAddress, isLoopback, parseAddress } from '../../node/address.js';
import { HASH_NAMES } from '../../ring/hash.js';
import { pointMistakes } from '../../ring/node-points.js';
import { MOST_NODES } from '../node-limits.js';
import type { Located, Mistake, TwemproxyPool } from './file.js';
import { bracketed, cutBehind, type ImportedServer, parseServer, wholeNumber } from './server.js';

export interface ImportedPool {
  /** As they stand in ringproxy's file. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What ringproxy does otherwise, loudest first. */
  readonly warnings: readonly string[];
  /** Defaults that differ, and what needs no setting. */
  readonly notes: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** Points on the ring of each of twemproxy's servers. */
const TWEMPROXY_POINTS = 160;
/** Of twemproxy's numbers: an `int`, which larger ones wrap round. */
const MOST_NUMBER = 2_147_483_647;
const MOST_CLIENTS = 1_000_000;
const MOST_NODE_CONNECTIONS = 64;
const [LEAST_TIMEOUT, MOST_TIMEOUT] = [10, 3_600_000];
const [STANDARD_DATABASES, MOST_DATABASES] = [16, 1024];
const DIRECTIVES = [
  'listen',
  'hash',
  'hash_tag',
  'distribution',
  'timeout',
  'backlog',
  'client_connections',
  'redis',
  'tcpkeepalive',
  'reuseport',
  'redis_auth',
  'redis_db',
  'preconnect',
  'auto_eject_hosts',
  'server_connections',
  'server_retry_timeout',
  'server_failure_limit',
] as const;
type Directive = (typeof DIRECTIVES)[number];

/** Reads one pool's directives, and gathers what is wrong with them. */
class PoolReader {
  readonly warnings: string[] = [];
  readonly notes: string[] = [];
  readonly mistakes: Mistake[];
  readonly #pool: TwemproxyPool;

  constructor(pool: TwemproxyPool) {
    this.#pool = pool;
    this.mistakes = [...pool.mistakes];
    for (const [name, { line }] of pool.directives) {
      if (DIRECTIVES.some((known) => known === name)) continue;
      this.fail(
        line,
        `'${name}' is not a directive of twemproxy: if a variant of it has it, see what it does, then remove it`,
      );
    }
  }

  fail(line: number, message: string): null {
    this.mistakes.push({ line, message });
    return null;
  }

  warn({ line }: Located, message: string): void {
    this.warnings.push(`line ${line}: ${message}`);
  }

  find(name: Directive): Located | null {
    return this.#pool.directives.get(name) ?? null;
  }

  /** @returns null when it is not there, or wrong */
  number(name: Directive): number | null {
    const given = this.find(name);
    if (given === null) return null;
    const value = wholeNumber(given.text);
    if (value === null) return this.fail(given.line, `${name} '${given.text}' is not a number`);
    return value <= MOST_NUMBER
      ? value
      : this.fail(given.line, `${name} ${given.text} is too large: twemproxy reads another number`);
  }

  flag(name: Directive): boolean {
    const given = this.find(name);
    if (given !== null && given.text !== 'true' && given.text !== 'false') {
      this.fail(given.line, `${name} '${given.text}' is neither true nor false`);
    }
    return given?.text === 'true';
  }
}

export function readPool(pool: TwemproxyPool): ImportedPool {
  const reader = new PoolReader(pool);
  const nodes = readServers(reader, pool);
  const isRedis = reader.flag('redis');
  if (!isRedis) {
    reader.warnings.push(`pool ${pool.name} speaks the memcached protocol; ringproxy speaks Redis' only`);
  }
  const ring = readRing(reader, nodes.length);
  for (const { index, message } of pointMistakes(nodes, ring))
    reader.fail(pool.servers[index]?.line ?? pool.line, message);
  const listen = readListen(reader, pool);
  const password = readPassword(reader, isRedis);
  const settings = {
    listen,
    ...password,
    ...protection(reader, listen, 'password' in password),
    ring,
    preconnect: reader.flag('preconnect'),
    ...readTimeout(reader),
    ...readConnections(reader),
    ...readDatabase(reader),
    nodes,
  };
  readRest(reader);
  return { settings, warnings: reader.warnings, notes: reader.notes, mistakes: reader.mistakes };
}

/** `host:port`, or a Unix socket's path with its mode behind it. */
function readListen(reader: PoolReader, pool: TwemproxyPool): string | null {
  const given = reader.find('listen');
  if (given === null) return reader.fail(pool.line, `pool ${pool.name} has no listen`);
  if (given.text.startsWith('/')) {
    const [path, mode] = cutBehind(given.text, ' ') ?? [given.text, null];
    if (mode !== null)
      reader.warn(given, `the mode ${mode} of the socket is left out: it is made with the umask of serve`);
    return `unix:${path}`;
  }
  const [host = '', portText = ''] = cutBehind(given.text, ':') ?? [];
  const port = wholeNumber(portText);
  if (host === '' || port === null || port < 1 || port > 65_535) {
    return reader.fail(given.line, `listen '${given.text}' is not host:port or /path`);
  }
  const address = parseAddress(`${bracketed(host)}:${port}`);
  return address === null ? reader.fail(given.line, `'${host}' is not a host`) : formatAddress(address);
}

function readServers(reader: PoolReader, pool: TwemproxyPool): ImportedServer[] {
  const nodes: ImportedServer[] = [];
  const [names, addresses] = [new Set<string>(), new Map<string, string>()];
  for (const { text, line } of pool.servers) {
    const server = parseServer(text);
    if (typeof server === 'string') {
      reader.fail(line, server);
      continue;
    }
    const { name, address } = server;
    const other = addresses.get(address);
    if (names.has(name)) reader.fail(line, `two servers have the name '${name}'`);
    else if (other !== undefined)
      reader.fail(line, `${address} is the server '${other}', too: a node is in a ring once`);
    names.add(name);
    addresses.set(address, name);
    nodes.push(server);
  }
  if (pool.servers.length === 0) reader.fail(pool.line, `pool ${pool.name} has no servers`);
  if (nodes.length > MOST_NODES) {
    reader.fail(pool.line, `pool ${pool.name} has ${nodes.length} servers: a ring has at most ${MOST_NODES} nodes`);
  }
  return nodes;
}

function readRing(
  reader: PoolReader,
  nodes: number,
): { distribution: 'ketama' | 'modula'; vnodes: number; weighting: 'total' } & Record<string, unknown> {
  const given = reader.find('hash');
  const hash = HASH_NAMES.find((known) => known === (given?.text ?? 'fnv1a_64') && known !== 'murmur3');
  if (given !== null && hash === undefined) reader.fail(given.line, `twemproxy has no hash '${given.text}'`);
  return {
    hash: hash ?? 'fnv1a_64',
    distribution: readDistribution(reader, nodes),
    'hash-tag': readHashTag(reader),
    vnodes: TWEMPROXY_POINTS,
    weighting: 'total',
  };
}

function readDistribution(reader: PoolReader, nodes: number): 'ketama' | 'modula' {
  const given = reader.find('distribution');
  if (given === null || given.text === 'ketama') return 'ketama';
  // One server has all keys, however they are distributed.
  if (given.text === 'random' && nodes === 1) return 'ketama';
  if (given.text === 'random') {
    const why = 'the distribution random sends each command to any server: no key has a place that could be kept';
    reader.fail(given.line, why);
    return 'ketama';
  }
  if (given.text === 'modula') {
    reader.warn(given, 'with the distribution modula most keys move whenever a node is added or removed');
    return 'modula';
  }
  reader.fail(given.line, `twemproxy has no distribution '${given.text}'`);
  return 'ketama';
}

function readHashTag(reader: PoolReader): string {
  const given = reader.find('hash_tag');
  if (given === null || /^[\x21-\x7e]{2}$/.test(given.text)) return given?.text ?? '';
  reader.fail(given.line, `hash_tag '${given.text}' does not consist of two visible ASCII characters`);
  return '';
}

/** twemproxy asks clients for the password that it gives to its servers. */
function readPassword(reader: PoolReader, isRedis: boolean): { password?: string; 'node-password'?: string } {
  const given = reader.find('redis_auth');
  if (given === null) return {};
  if (given.text === '') reader.fail(given.line, 'redis_auth is empty');
  if (!isRedis) reader.fail(given.line, 'redis_auth is for pools with redis: true only');
  return { password: given.text, 'node-password': given.text };
}

/** As twemproxy has it: whoever reaches it may use it. */
function protection(reader: PoolReader, listen: string | null, hasPassword: boolean): object {
  const address = listen === null ? null : parseAddress(listen);
  if (hasPassword || address === null || isLoopback(address)) return {};
  reader.warnings.push("clients of other machines need no password: set 'password', or keep 'protected-mode: false'");
  return { 'protected-mode': false };
}

function readTimeout(reader: PoolReader): object {
  const given = reader.find('timeout');
  const timeout = reader.number('timeout');
  if (given === null) reader.notes.push('twemproxy waits for a server for ever, ringproxy for 5s: request-timeout');
  if (given === null || timeout === null) return {};
  const used = timeout === 0 ? MOST_TIMEOUT : Math.min(MOST_TIMEOUT, Math.max(LEAST_TIMEOUT, timeout));
  if (used !== timeout) {
    const means = timeout === 0 ? 'no limit to twemproxy' : `${timeout}ms`;
    reader.warn(given, `timeout ${timeout} (${means}) becomes ${used}ms: ringproxy takes ${LEAST_TIMEOUT}ms to 1h`);
  }
  return { 'request-timeout': `${used}ms` };
}

function readConnections(reader: PoolReader): object {
  const settings: Record<string, number> = {};
  const clients = reader.find('client_connections');
  const most = reader.number('client_connections');
  if (clients === null) reader.notes.push('twemproxy takes any number of clients, ringproxy 10000: max-clients');
  if (clients !== null && most !== null) {
    settings['max-clients'] = most === 0 ? MOST_CLIENTS : Math.min(most, MOST_CLIENTS);
    if (settings['max-clients'] !== most) {
      const means = most === 0 ? ' (no limit)' : '';
      reader.warn(clients, `client_connections ${most}${means} becomes ${MOST_CLIENTS}, the most that ringproxy takes`);
    }
  }
  const servers = reader.find('server_connections');
  const each = reader.number('server_connections');
  if (servers !== null && each !== null) {
    if (each === 0) reader.fail(servers.line, 'server_connections is 0, which twemproxy refuses, too');
    settings['node-connections'] = Math.min(each, MOST_NODE_CONNECTIONS);
    if (each > MOST_NODE_CONNECTIONS) {
      reader.warn(
        servers,
        `server_connections ${each} becomes ${MOST_NODE_CONNECTIONS}: ringproxy's connections carry any number of clients, few are enough`,
      );
    }
  }
  return settings;
}

function readDatabase(reader: PoolReader): object {
  const given = reader.find('redis_db');
  const database = reader.number('redis_db') ?? 0;
  if (given === null || database === 0) return {};
  if (database >= MOST_DATABASES) {
    reader.fail(given.line, `redis_db ${database}: ringproxy has at most ${MOST_DATABASES} databases`);
  }
  reader.warn(given, `redis_db ${database} is left out: clients use SELECT ${database}`);
  return database < STANDARD_DATABASES ? {} : { databases: database + 1 };
}

/** What ringproxy does without a setting, or does not do. */
function readRest(reader: PoolReader): void {
  const ejects = reader.find('auto_eject_hosts');
  if (reader.flag('auto_eject_hosts') && ejects !== null) {
    reader.warn(
      ejects,
      'auto_eject_hosts is left out: a server that comes back after its keys went elsewhere has stale data',
    );
  }
  for (const name of ['server_retry_timeout', 'server_failure_limit'] as const) {
    reader.number(name);
    if (reader.find(name) !== null) reader.notes.push(`${name} is left out: it belongs to auto_eject_hosts`);
  }
  reader.number('backlog');
  if (reader.find('backlog') !== null) reader.notes.push("backlog is left out: the system's limit counts");
  for (const name of ['tcpkeepalive', 'reuseport'] as const) reader.flag(name);
  if (reader.find('tcpkeepalive') !== null) reader.notes.push('tcpkeepalive is always on: tcp-keepalive has its time');
  if (reader.find('reuseport') !== null)
    reader.notes.push('reuseport is left out: workers share the port by themselves');
}
