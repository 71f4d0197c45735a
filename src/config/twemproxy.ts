/** Reads a nutcracker.yml and says the same in ringproxy's configuration. */

import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { RingproxyError } from '../errors.js';
import { HASH_NAMES } from '../ring/hash.js';
import { isLoopback, parseAddress } from './address.js';

const pool = z.looseObject({
  listen: z.string().optional(),
  hash: z.string().default('fnv1a_64'),
  hash_tag: z.string().optional(),
  distribution: z.string().default('ketama'),
  timeout: z.number().optional(),
  client_connections: z.number().optional(),
  server_connections: z.number().optional(),
  redis: z.boolean().default(false),
  redis_auth: z.union([z.string(), z.number()]).optional(),
  redis_db: z.number().default(0),
  preconnect: z.boolean().default(false),
  auto_eject_hosts: z.boolean().default(false),
  servers: z.array(z.string()).default([]),
});

type Pool = z.output<typeof pool>;

/** Points on the ring of each of twemproxy's servers. */
const TWEMPROXY_POINTS = 160;
/** The port that twemproxy leaves out of a server's name. */
const MEMCACHED_PORT = '11211';

export interface ImportedConfig {
  readonly yaml: string;
  /** What the pool does that ringproxy does otherwise. */
  readonly warnings: readonly string[];
}

/**
 * @param text the contents of nutcracker.yml
 * @param name which pool, when there are several
 * @throws RingproxyError when it cannot be served by ringproxy
 */
export function importTwemproxy(text: string, name?: string): ImportedConfig {
  const [poolName, chosen] = choosePool(text, name);
  if (chosen.distribution !== 'ketama') {
    throw new RingproxyError(
      'DISTRIBUTION',
      `pool ${poolName} has the distribution ${chosen.distribution}, which has no ring`,
      'ringproxy serves ketama only: with modula or random nearly every key moves when a server is added',
    );
  }
  const hash = HASH_NAMES.find((known) => known === chosen.hash);
  if (hash === undefined || hash === 'murmur3') {
    throw new RingproxyError(
      'HASH',
      `pool ${poolName} has the unknown hash ${chosen.hash}`,
      'see twemproxy on its hashes',
    );
  }
  const warnings: string[] = [];
  if (!chosen.redis) warnings.push(`pool ${poolName} speaks the memcached protocol; ringproxy speaks Redis' only`);
  if (chosen.auto_eject_hosts) {
    warnings.push(
      'auto_eject_hosts is left out: a server that comes back after its keys went elsewhere has stale data',
    );
  }
  if (chosen.redis_db !== 0)
    warnings.push(`redis_db ${chosen.redis_db} is left out: clients use SELECT ${chosen.redis_db}`);
  const password = chosen.redis_auth === undefined ? '' : String(chosen.redis_auth);
  // As twemproxy has it: whoever reaches it may use it.
  const isOpen = password === '' && chosen.listen !== undefined && !isLocal(listenOf(chosen.listen));
  if (isOpen)
    warnings.push(`clients of other machines need no password: set 'password', or keep 'protected-mode: false'`);
  const config = {
    ...(chosen.listen === undefined ? {} : { listen: listenOf(chosen.listen) }),
    ...(password === '' ? {} : { password, 'node-password': password }),
    ...(isOpen ? { 'protected-mode': false } : {}),
    ring: {
      hash,
      distribution: 'ketama',
      'hash-tag': chosen.hash_tag ?? '',
      vnodes: TWEMPROXY_POINTS,
      weighting: 'total',
    },
    preconnect: chosen.preconnect,
    ...(chosen.timeout === undefined ? {} : { 'request-timeout': `${chosen.timeout}ms` }),
    ...(chosen.client_connections === undefined ? {} : { 'max-clients': chosen.client_connections }),
    ...(chosen.server_connections === undefined ? {} : { 'node-connections': chosen.server_connections }),
    nodes: chosen.servers.map(parseServer),
  };
  return { yaml: stringify(config), warnings };
}

function choosePool(text: string, name: string | undefined): [string, Pool] {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RingproxyError('YAML', `the file is not YAML: ${why}`, 'expected a nutcracker.yml');
  }
  const parsed = z.record(z.string(), pool).safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RingproxyError(
      'TWEMPROXY',
      `the file is not a nutcracker.yml: ${issue?.path.join('.')}: ${issue?.message}`,
      'expected pools with listen, hash, servers …',
    );
  }
  const names = Object.keys(parsed.data);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  const chosen = wanted === undefined ? undefined : parsed.data[wanted];
  if (wanted === undefined || chosen === undefined) {
    const what = name === undefined ? `the file has ${names.length} pools` : `the file has no pool ${name}`;
    throw new RingproxyError('POOL', what, `choose one with --pool: ${names.join(', ')}`);
  }
  return [wanted, chosen];
}

/** `host:port`, or a Unix socket's path with its mode behind it. */
function listenOf(listen: string): string {
  return listen.startsWith('/') ? `unix:${listen.split(' ')[0]}` : listen;
}

function isLocal(listen: string): boolean {
  const address = parseAddress(listen);
  return address !== null && isLoopback(address);
}

/** `host:port:weight name`; without a name twemproxy hashes `host:port`, and on memcached's port only `host`. */
function parseServer(server: string): { name: string; address: string; weight: number } {
  const match = /^(.+):(\d+):(\d+)(?:\s+(\S+))?$/.exec(server.trim());
  if (match === null) {
    throw new RingproxyError('SERVER', `'${server}' is not a server`, 'expected host:port:weight name');
  }
  const [, host = '', port = '', weight = '1', name] = match;
  return {
    name: name ?? (port === MEMCACHED_PORT ? host : `${host}:${port}`),
    address: `${host}:${port}`,
    weight: Number(weight),
  };
}
