/**
 * Every setting, once: where it stands in the file, its type and range, its default and what it is for.
 * Flags, environment variables, `--help` and the table in `src/docs/settings.md` are made from this table.
 */
import { z } from 'zod';
import { formatAddress, isLoopback, parseAddress } from '../node/address.js';
import { HASH_NAMES } from '../ring/hash.js';
import { pointMistakes } from '../ring/node-points.js';
import { DEFAULT_RING_OPTIONS } from '../ring/ring.js';
import { keyGroups } from './key-groups.js';
import { isNodeName, isWeight, MOST_NODES, NODE_NAME_RULE, WEIGHT_RULE } from './node-limits.js';
import { parseNodeText } from './node-text.js';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.js';

export interface Setting {
  /** Path in the YAML file, such as `ring.hash`. */
  readonly path: string;
  readonly schema: z.ZodType;
  /** As it is shown to people. */
  readonly default: string;
  readonly kind: string;
  readonly help: string;
  /** The flag of `serve`, when it has one, with the form of its value. */
  readonly flag?: string;
}

function duration(least: number, most: number, standard: number): z.ZodType<number> {
  return z
    .unknown()
    .transform((value, context) => {
      const parsed = parseDuration(value);
      if (parsed !== null && parsed >= least && parsed <= most) return parsed;
      context.addIssue({
        code: 'custom',
        message: `expected a duration from ${formatDuration(least)} to ${formatDuration(most)}, such as ${formatDuration(standard)}`,
      });
      return z.NEVER;
    })
    .prefault(standard);
}

function size(least: number, most: number, standard: number): z.ZodType<number> {
  return z
    .unknown()
    .transform((value, context) => {
      const parsed = parseSize(value);
      if (parsed !== null && parsed >= least && parsed <= most) return parsed;
      context.addIssue({
        code: 'custom',
        message: `expected a size from ${formatSize(least)} to ${formatSize(most)}, such as ${formatSize(standard)}`,
      });
      return z.NEVER;
    })
    .prefault(standard);
}

function count(least: number, most: number, standard: number): z.ZodType<number> {
  const message = `expected a whole number from ${least} to ${most}`;
  return z.coerce.number({ message }).int(message).min(least, message).max(most, message).prefault(standard);
}

function choice<const T extends readonly [string, ...string[]]>(values: T, standard: T[number]): z.ZodType<T[number]> {
  return z.enum(values, { message: `expected one of ${values.join(', ')}` }).prefault(standard as never);
}

const flag = (standard: boolean): z.ZodType<boolean> =>
  z
    .union([z.boolean(), z.enum(['true', 'false', 'yes', 'no', 'on', 'off'])], { message: 'expected true or false' })
    .transform((value) => value === true || value === 'true' || value === 'yes' || value === 'on')
    .prefault(standard);

const text = (standard: string): z.ZodType<string> => z.string({ message: 'expected a text' }).prefault(standard);

const address = (standard: string, off: boolean): z.ZodType<string> =>
  z
    .string({ message: 'expected an address' })
    .transform((value, context) => {
      if (off && value === 'off') return value;
      // The command line calls the admin API by its URL, under the same environment variable.
      const parsed = parseAddress(off ? value.replace(/^http:\/\/([^/]+)\/?$/, '$1') : value);
      if (parsed !== null) return formatAddress(parsed);
      context.addIssue({
        code: 'custom',
        message: `'${value}' is not an address: expected HOST:PORT${off ? ' or off' : ', [IPV6]:PORT or unix:/PATH'}`,
      });
      return z.NEVER;
    })
    .prefault(standard);

export interface NodeConfig {
  readonly name: string;
  readonly address: string;
  readonly weight: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly peerAddress?: string | undefined;
}

const nodeObject = z.strictObject({
  name: z.string().optional(),
  address: z.string({ message: 'a node needs an address, HOST:PORT' }),
  weight: z.coerce.number().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  'peer-address': z.string().optional(),
});

const node: z.ZodType<NodeConfig> = z
  .union([z.string(), nodeObject], { message: 'expected NAME=HOST:PORT*WEIGHT, or name, address and weight' })
  .transform((value, context) => {
    const given = typeof value === 'string' ? parseNodeText(value) : value;
    const fail = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (given === null) return fail(`'${String(value)}' is not NAME=HOST:PORT*WEIGHT`);
    const parsed = parseAddress(given.address);
    if (parsed === null) return fail(`'${given.address}' is not an address: expected HOST:PORT`);
    if ('port' in parsed && parsed.port === 0) return fail(`'${given.address}' has port 0: a node needs a real port`);
    const name = given.name ?? formatAddress(parsed);
    if (!isNodeName(name)) return fail(`'${name}' is not a node name: ${NODE_NAME_RULE}`);
    const weight = given.weight ?? 1;
    if (!isWeight(weight)) {
      return fail(`weight ${weight} of node ${name}: expected a whole number from ${WEIGHT_RULE}`);
    }
    return {
      name,
      address: formatAddress(parsed),
      weight,
      ...(typeof value === 'object'
        ? { username: value.username, password: value.password, peerAddress: value['peer-address'] }
        : {}),
    };
  });

const nodes = z.array(node, { message: 'expected a list of nodes' }).prefault([]);

const hashTag = z
  .string({ message: 'expected two characters, or an empty text' })
  .regex(/^(?:[\x21-\x7e]{2})?$/, 'expected two characters, such as {}, or an empty text')
  .prefault(DEFAULT_RING_OPTIONS.hashTag);

const workers: z.ZodType<number | 'auto'> = z
  .unknown()
  .transform((value, context) => {
    if (value === 'auto') return value;
    const count = Number(value);
    if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
    context.addIssue({ code: 'custom', message: 'expected a whole number from 1 to 64, or auto' });
    return z.NEVER;
  })
  .prefault(1);

const HOUR = 3_600_000;
const GB = 1024 ** 3;

export const SETTINGS = {
  listen: {
    path: 'listen',
    schema: address('127.0.0.1:6380', false),
    default: '127.0.0.1:6380',
    kind: 'address',
    help: 'where clients connect: HOST:PORT, or unix:/PATH; port 0 picks a free one',
    flag: 'HOST:PORT',
  },
  admin: {
    path: 'admin',
    schema: address('127.0.0.1:6390', true),
    default: '127.0.0.1:6390',
    kind: 'address or off',
    help: 'where the admin API and the metrics are served',
    flag: 'HOST:PORT',
  },
  adminToken: {
    path: 'admin-token',
    schema: text(''),
    default: '',
    kind: 'text',
    help: 'bearer token of the admin API; needed when it is served beyond loopback',
  },
  nodes: {
    path: 'nodes',
    schema: nodes,
    default: '[]',
    kind: 'list of nodes',
    help: 'the nodes of the first generation: name, address, weight (1 to 1000000), username, password, peer-address',
  },
  workers: {
    path: 'workers',
    schema: workers,
    default: '1',
    kind: '1 to 64, or auto',
    help: 'processes of the data plane, which share the clients; auto: one for each processor',
    flag: 'N',
  },
  stateDir: {
    path: 'state-dir',
    schema: text(''),
    default: '',
    kind: 'path',
    help: 'directory that keeps the ring over restarts; empty: the ring is forgotten',
    flag: 'DIR',
  },
  adminCommands: {
    path: 'admin-commands',
    schema: choice(['deny', 'allow'], 'deny'),
    default: 'deny',
    kind: 'deny or allow',
    help: 'whether clients may send CONFIG SET, DEBUG and the like, which then go to every node',
    flag: 'deny|allow',
  },
  clusterMode: {
    path: 'cluster-mode',
    schema: flag(false),
    default: 'false',
    kind: 'true or false',
    help: 'answer CLUSTER as one node that owns all slots, for clients that speak the protocol of Redis Cluster',
    flag: 'true|false',
  },
  logLevel: {
    path: 'log-level',
    schema: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    default: 'info',
    kind: 'trace, debug, info, warn, error, fatal or silent',
    help: 'least level that is logged, to standard error',
    flag: 'LEVEL',
  },
  logFormat: {
    path: 'log-format',
    schema: choice(['auto', 'json', 'pretty'], 'auto'),
    default: 'auto',
    kind: 'auto, json or pretty',
    help: 'auto: pretty on a terminal, otherwise JSON lines',
  },
  password: {
    path: 'password',
    schema: text(''),
    default: '',
    kind: 'text',
    help: 'password that clients must give with AUTH or HELLO; empty: none',
  },
  protectedMode: {
    path: 'protected-mode',
    schema: flag(true),
    default: 'true',
    kind: 'true or false',
    help: 'without a password, let in only clients of this machine, whatever the address to listen on',
  },
  nodeUsername: {
    path: 'node-username',
    schema: text(''),
    default: '',
    kind: 'text',
    help: 'user at the nodes, where a node has none of its own',
  },
  nodePassword: {
    path: 'node-password',
    schema: text(''),
    default: '',
    kind: 'text',
    help: 'password at the nodes, where a node has none of its own',
  },
  hash: {
    path: 'ring.hash',
    schema: choice(
      HASH_NAMES as readonly [(typeof HASH_NAMES)[number], ...(typeof HASH_NAMES)[number][]],
      DEFAULT_RING_OPTIONS.hash,
    ),
    default: DEFAULT_RING_OPTIONS.hash,
    kind: HASH_NAMES.join(', '),
    help: "hash of the keys; all but murmur3 are twemproxy's; fixed at the first start",
  },
  distribution: {
    path: 'ring.distribution',
    schema: choice(['ketama', 'modula'], 'ketama'),
    default: 'ketama',
    kind: 'ketama or modula',
    help: "ketama: nodes are spread over a ring; modula: twemproxy's division by the sum of the weights, where most keys move when a node is added; fixed at the first start",
  },
  hashTag: {
    path: 'ring.hash-tag',
    schema: hashTag,
    default: DEFAULT_RING_OPTIONS.hashTag,
    kind: 'two characters, or empty',
    help: 'only what stands between them is hashed, which brings keys together; fixed at the first start',
  },
  vnodes: {
    path: 'ring.vnodes',
    schema: count(1, 65_536, DEFAULT_RING_OPTIONS.vnodes),
    default: String(DEFAULT_RING_OPTIONS.vnodes),
    kind: '1 to 65536',
    help: 'points on the ring of a node of weight 1 (twemproxy: 160); fixed at the first start',
  },
  weighting: {
    path: 'ring.weighting',
    schema: choice(['own', 'total'], 'own'),
    default: 'own',
    kind: 'own or total',
    help: "own: a node's points depend on its weight alone; total: twemproxy's way, by its part of all weights",
  },
  preconnect: {
    path: 'preconnect',
    schema: flag(true),
    default: 'true',
    kind: 'true or false',
    help: 'connect to the nodes at the start, and not with the first command',
  },
  connectTimeout: {
    path: 'connect-timeout',
    schema: duration(10, HOUR, 1000),
    default: '1s',
    kind: 'duration',
    help: 'most time for a connection to a node, its handshake included',
  },
  requestTimeout: {
    path: 'request-timeout',
    schema: duration(10, HOUR, 5000),
    default: '5s',
    kind: 'duration',
    help: 'most time for a node to answer; then its connection is given up and the node counts as down',
  },
  reconnectBackoffMax: {
    path: 'reconnect-backoff-max',
    schema: duration(20, 60_000, 1000),
    default: '1s',
    kind: 'duration',
    help: 'longest pause between two attempts to reach a node that is down',
  },
  nodeConnections: {
    path: 'node-connections',
    schema: count(1, 64, 1),
    default: '1',
    kind: '1 to 64',
    help: 'shared connections to each node, for each protocol and database in use',
  },
  nodePrivateConnections: {
    path: 'node-private-connections',
    schema: count(1, 65_536, 256),
    default: '256',
    kind: '1 to 65536',
    help: 'most connections to each node that serve one client alone, such as for large values and WATCH',
  },
  nodeBlockingConnections: {
    path: 'node-blocking-connections',
    schema: count(1, 65_536, 10_000),
    default: '10000',
    kind: '1 to 65536',
    help: 'most connections to each node on which commands such as BLPOP wait; the node must allow as many (maxclients)',
  },
  nodeMaxInflight: {
    path: 'node-max-inflight',
    schema: count(1, 16_777_216, 65_536),
    default: '65536',
    kind: 'count',
    help: "commands in flight on a connection to a node at which its clients' reading pauses",
  },
  nodeMaxPendingBytes: {
    path: 'node-max-pending-bytes',
    schema: size(65_536, 16 * GB, 64 * 1024 ** 2),
    default: '64mb',
    kind: 'size',
    help: "unsent bytes on a connection to a node at which its clients' reading pauses",
  },
  scriptCache: {
    path: 'script-cache',
    schema: size(0, 16 * GB, 16 * 1024 ** 2),
    default: '16mb',
    kind: 'size',
    help: 'bytes of scripts that are remembered, to load them on nodes that do not know them',
  },
  trackingTableMaxKeys: {
    path: 'tracking-table-max-keys',
    schema: count(0, 100_000_000, 1_000_000),
    default: '1000000',
    kind: 'count',
    help: 'keys that are remembered for clients that cache (CLIENT TRACKING), in each process; 0: any number',
  },
  maxClients: {
    path: 'max-clients',
    schema: count(1, 1_000_000, 10_000),
    default: '10000',
    kind: 'count',
    help: 'most clients at a time; further ones are told so and closed',
  },
  idleTimeout: {
    path: 'idle-timeout',
    schema: duration(0, 24 * 365 * HOUR, 0),
    default: '0',
    kind: 'duration',
    help: 'clients that send nothing for so long are closed; 0: never',
  },
  clientMaxPending: {
    path: 'client-max-pending',
    schema: count(16, 16_777_216, 8192),
    default: '8192',
    kind: 'count',
    help: "a client's commands in flight at which its reading pauses",
  },
  clientOutputLimit: {
    path: 'client-output-limit',
    schema: size(65_536, 16 * GB, 64 * 1024 ** 2),
    default: '64mb',
    kind: 'size',
    help: 'replies that a client has not taken at which its reading pauses',
  },
  clientQueryLimit: {
    path: 'client-query-limit',
    schema: size(65_536, 16 * GB, GB),
    default: '1gb',
    kind: 'size',
    help: 'largest request that is gathered (those of several keys); values of one key are streamed',
  },
  clientStallTimeout: {
    path: 'client-stall-timeout',
    schema: duration(100, 24 * HOUR, 60_000),
    default: '1m',
    kind: 'duration',
    help: 'a client that takes none of its replies, or sends nothing of the large value that it has begun, for so long is closed',
  },
  clientUploadTimeout: {
    path: 'client-upload-timeout',
    schema: duration(100, 24 * HOUR, HOUR),
    default: '1h',
    kind: 'duration',
    help: 'most time that a client may take to send one large value; then it is closed',
  },
  maxBulkLength: {
    path: 'max-bulk-length',
    schema: size(1024, 512 * 1024 ** 2, 512 * 1024 ** 2),
    default: '512mb',
    kind: 'size',
    help: 'longest argument of a command',
  },
  streamThreshold: {
    path: 'stream-threshold',
    schema: size(16_384, GB, 262_144),
    default: '256kb',
    kind: 'size',
    help: 'values from this size on are passed on as they come instead of being gathered',
  },
  databases: {
    path: 'databases',
    schema: count(1, 1024, 16),
    default: '16',
    kind: '1 to 1024',
    help: 'databases that SELECT offers; the nodes must have as many',
  },
  shutdownTimeout: {
    path: 'shutdown-timeout',
    schema: duration(0, HOUR, 10_000),
    default: '10s',
    kind: 'duration',
    help: 'most time for the answers in flight when the proxy is told to stop',
  },
  tcpKeepalive: {
    path: 'tcp-keepalive',
    schema: duration(1000, 24 * HOUR, 60_000),
    default: '1m',
    kind: 'duration',
    help: 'idle time after which TCP asks whether the other side is still there',
  },
  probeInterval: {
    path: 'probe-interval',
    schema: duration(50, HOUR, 1000),
    default: '1s',
    kind: 'duration',
    help: 'pause between two probes of a node',
  },
  probeTimeout: {
    path: 'probe-timeout',
    schema: duration(10, HOUR, 1000),
    default: '1s',
    kind: 'duration',
    help: 'most time for a node to answer a probe',
  },
  probeFailures: {
    path: 'probe-failures',
    schema: count(1, 1000, 3),
    default: '3',
    kind: 'count',
    help: 'failed probes in a row after which a node is shown as down',
  },
  keyGroups: {
    path: 'key-groups',
    schema: keyGroups,
    default: '{}',
    kind: 'groups with prefixes',
    help: 'counts commands, hits, misses and latency apart for keys with these prefixes; at most 32 groups',
    flag: 'GROUP=PREFIX[,PREFIX]',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

export type Config = { readonly [Name in SettingName]: z.output<(typeof SETTINGS)[Name]['schema']> };

/** What concerns several settings at once. @returns a message with the path it belongs to, for each mistake */
export function crossChecks(config: Config): { path: string; message: string }[] {
  const mistakes: { path: string; message: string }[] = [];
  const names = new Set<string>();
  const addresses = new Map<string, string>();
  config.nodes.forEach((entry, index) => {
    if (names.has(entry.name)) mistakes.push({ path: `nodes[${index}]`, message: `node ${entry.name} is named twice` });
    const other = addresses.get(entry.address);
    if (other !== undefined && other !== entry.name) {
      mistakes.push({ path: `nodes[${index}]`, message: `${entry.address} is the address of ${other}, too` });
    }
    names.add(entry.name);
    addresses.set(entry.address, entry.name);
  });
  for (const { index, message } of pointMistakes(config.nodes, config))
    mistakes.push({ path: `nodes[${index}]`, message });
  if (config.nodes.length > MOST_NODES) {
    mistakes.push({ path: 'nodes', message: `${config.nodes.length} nodes: a ring has at most ${MOST_NODES}` });
  }
  if (config.listen === config.admin && !config.admin.endsWith(':0')) {
    mistakes.push({
      path: 'admin',
      message: `${config.admin} is where clients connect: give one of the two another port`,
    });
  }
  const admin = config.admin === 'off' ? null : parseAddress(config.admin);
  if (admin !== null && !isLoopback(admin) && config.adminToken === '') {
    mistakes.push({
      path: 'admin',
      message: `${config.admin} can be reached from other machines: set admin-token, or use a loopback address`,
    });
  }
  if (config.distribution === 'ketama' && config.weighting === 'total' && config.vnodes % 4 !== 0) {
    mistakes.push({ path: 'ring.vnodes', message: 'must be a multiple of 4 with weighting total, as ketama has it' });
  }
  return mistakes;
}
