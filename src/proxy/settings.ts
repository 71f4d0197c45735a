/**
 * Every setting of the data plane, once. What an operator writes (file, flag, environment, documentation) is made of
 * these rows by `config`; what the data plane reads is their values, one object (`DataPlaneSettings`), which whoever
 * runs it passes on whole. A row more is all that a setting needs.
 */
import type { WrittenUser } from '../commands/rights/user.js';
import type { KeyGroup } from './caching/policy.js';

type Duration = `${number}${'ms' | 's' | 'm' | 'h'}` | '0';
type Size = `${number}${'kb' | 'mb' | 'gb'}` | '0';

/** What one user may do, where that is not as for all users; 0: any number. */
export interface UserLimit {
  readonly name: string;
  /** At a time. */
  readonly clients?: number;
  /** A second. */
  readonly commands?: number;
  /** A second, of what its clients send. */
  readonly bytes?: number;
}

/** What an operator may write, and what stands when nothing is written. Bounds are inclusive. */
export type SettingForm =
  | { readonly type: 'duration'; readonly least: Duration; readonly most: Duration; readonly default: Duration }
  | { readonly type: 'size'; readonly least: Size; readonly most: Size; readonly default: Size }
  | { readonly type: 'count'; readonly least: number; readonly most: number; readonly default: number }
  | { readonly type: 'choice'; readonly values: readonly string[]; readonly default: string }
  | { readonly type: 'flag'; readonly default: boolean }
  | { readonly type: 'text'; readonly default: string }
  | { readonly type: 'key groups' }
  | { readonly type: 'users' }
  /** Its value is what the file at this path says. */
  | { readonly type: 'users file' }
  | { readonly type: 'user limits' }
  /** By user. */
  | { readonly type: 'cross-node by user' }
  /** Names of commands. */
  | { readonly type: 'commands' }
  /** Commands, with the names that they have instead of their own. */
  | { readonly type: 'command renames' };

export interface SettingRow {
  /** Where it stands in the YAML file, such as `ring.hash`. */
  readonly path: string;
  /** What it is for, in one line. */
  readonly help: string;
  /** The form of its value, when `serve` has a flag for it. */
  readonly flag?: string;
}

/** What each type is, once it is read. Durations in milliseconds, sizes in bytes. */
interface Values {
  duration: number;
  size: number;
  count: number;
  flag: boolean;
  text: string;
  'key groups': readonly KeyGroup[];
  users: readonly WrittenUser[];
  'users file': readonly WrittenUser[];
  'user limits': readonly UserLimit[];
  'cross-node by user': Readonly<Record<string, 'allow' | 'refuse'>>;
  commands: readonly string[];
  'command renames': Readonly<Record<string, string>>;
}

export type SettingValue<Form> = Form extends { readonly type: 'choice'; readonly values: readonly (infer Value)[] }
  ? Value
  : Form extends { readonly type: infer Type extends keyof Values }
    ? Values[Type]
    : never;

export const DATA_PLANE_SETTINGS = {
  // Who may come in, and what they may do.
  adminCommands: {
    path: 'admin-commands',
    type: 'choice',
    values: ['deny', 'allow'],
    default: 'deny',
    help: 'whether clients may send CONFIG SET, DEBUG and the like, which then go to every node',
    flag: 'deny|allow',
  },
  clusterMode: {
    path: 'cluster-mode',
    type: 'flag',
    default: false,
    help: 'answer CLUSTER as one node that owns all slots, for clients that speak the protocol of Redis Cluster',
    flag: 'true|false',
  },
  crossNode: {
    path: 'cross-node',
    type: 'choice',
    values: ['allow', 'refuse'],
    default: 'allow',
    help: 'whether commands and transactions run whose keys are on several nodes: in steps, with other guarantees than on one node',
    flag: 'refuse|allow',
  },
  crossNodeUsers: {
    path: 'cross-node-users',
    type: 'cross-node by user',
    help: 'users for whom cross-node is otherwise, such as { batch: allow }',
  },
  crossNodeMaxBytes: {
    path: 'cross-node-max-bytes',
    type: 'size',
    least: '1kb',
    most: '16gb',
    default: '64mb',
    help: 'bytes of values that one such command may take from node to node',
  },
  denyCommands: {
    path: 'deny-commands',
    type: 'commands',
    help: 'commands that clients may not send, such as FLUSHALL or CONFIG|SET: they are unknown then',
    flag: 'NAME[,NAME]',
  },
  renameCommands: {
    path: 'rename-commands',
    type: 'command renames',
    help: 'commands that clients reach under another name, and not under their own',
  },
  password: {
    path: 'password',
    type: 'text',
    default: '',
    help: 'password that clients must give with AUTH or HELLO: that of the user default; empty: none',
  },
  users: {
    path: 'users',
    type: 'users',
    help: "who may log in and what they may do, by name, in Redis' ACL syntax",
  },
  usersFile: {
    path: 'users-file',
    type: 'users file',
    help: "file with users in the form of Redis' aclfile, a line for each",
  },
  userScripts: {
    path: 'user-scripts',
    type: 'choice',
    values: ['refuse', 'allow'],
    default: 'refuse',
    help: 'whether users without all rights may run scripts and functions, inside of which their rights are not checked',
  },
  protectedMode: {
    path: 'protected-mode',
    type: 'flag',
    default: true,
    help: 'without a password, let in only clients of this machine, whatever the address to listen on',
  },

  // Connections to nodes.
  preconnect: {
    path: 'preconnect',
    type: 'flag',
    default: true,
    help: 'connect to the nodes at the start, and not with the first command',
  },
  connectTimeout: {
    path: 'connect-timeout',
    type: 'duration',
    least: '10ms',
    most: '1h',
    default: '1s',
    help: 'most time for a connection to a node, its handshake included',
  },
  requestTimeout: {
    path: 'request-timeout',
    type: 'duration',
    least: '10ms',
    most: '1h',
    default: '5s',
    help: 'most time for a node to answer; then its connection is given up and the node counts as down',
  },
  reconnectBackoffMax: {
    path: 'reconnect-backoff-max',
    type: 'duration',
    least: '20ms',
    most: '1m',
    default: '1s',
    help: 'longest pause between two attempts to reach a node that is down',
  },
  nodeConnections: {
    path: 'node-connections',
    type: 'count',
    least: 1,
    most: 64,
    default: 1,
    help: 'shared connections to each node, for each protocol and database in use',
  },
  nodePrivateConnections: {
    path: 'node-private-connections',
    type: 'count',
    least: 1,
    most: 65_536,
    default: 256,
    help: 'most connections to each node that serve one client alone, such as for large values and WATCH',
  },
  nodeBlockingConnections: {
    path: 'node-blocking-connections',
    type: 'count',
    least: 1,
    most: 65_536,
    default: 10_000,
    help: 'most connections to each node on which commands such as BLPOP wait; the node must allow as many (maxclients)',
  },
  nodeMaxInflight: {
    path: 'node-max-inflight',
    type: 'count',
    least: 1,
    most: 16_777_216,
    default: 65_536,
    help: "commands in flight on a connection to a node at which its clients' reading pauses",
  },
  nodeMaxPendingBytes: {
    path: 'node-max-pending-bytes',
    type: 'size',
    least: '64kb',
    most: '16gb',
    default: '64mb',
    help: "unsent bytes on a connection to a node at which its clients' reading pauses",
  },

  // What is remembered.
  scriptCache: {
    path: 'script-cache',
    type: 'size',
    least: '0',
    most: '16gb',
    default: '16mb',
    help: 'bytes of scripts that are remembered, to load them on nodes that do not know them',
  },
  trackingTableMaxKeys: {
    path: 'tracking-table-max-keys',
    type: 'count',
    least: 0,
    most: 100_000_000,
    default: 1_000_000,
    help: 'keys that are remembered for clients that cache (CLIENT TRACKING), in each process; 0: any number',
  },

  nearAuto: {
    path: 'near-auto',
    type: 'choice',
    values: ['off', 'on'],
    default: 'off',
    help: 'whether keys that are hot are kept near while they are, unless their group says how it is cached',
    flag: 'on|off',
  },
  replicatedMemory: {
    path: 'replicated-memory',
    type: 'size',
    least: '1mb',
    most: '16gb',
    default: '64mb',
    help: 'bytes of the values that every proxy has all of (groups with `cache: replicated`), in each process; beyond, writes are refused',
    flag: 'SIZE',
  },
  nearMemory: {
    path: 'near-memory',
    type: 'size',
    least: '1mb',
    most: '2gb',
    default: '64mb',
    help: 'bytes of replies that are kept for groups with `cache: near`, in each process',
  },

  // Clients.
  maxClients: {
    path: 'max-clients',
    type: 'count',
    least: 1,
    most: 1_000_000,
    default: 10_000,
    help: 'most clients at a time; further ones are told so and closed',
  },
  maxClientsPerAddress: {
    path: 'max-clients-per-address',
    type: 'count',
    least: 0,
    most: 1_000_000,
    default: 0,
    help: 'most clients at a time of one address (of IPv6, of one /64); further ones are told so and closed; 0: as many as max-clients',
  },
  commandsPerAddress: {
    path: 'commands-per-address',
    type: 'count',
    least: 0,
    most: 100_000_000,
    default: 0,
    help: 'commands a second that clients of one address may send; beyond, limit-mode says what happens; 0: any number',
  },
  bytesPerAddress: {
    path: 'bytes-per-address',
    type: 'size',
    least: '0',
    most: '16gb',
    default: '0',
    help: 'bytes a second that clients of one address may send; beyond, limit-mode says what happens; 0: any number',
  },
  maxClientsPerUser: {
    path: 'max-clients-per-user',
    type: 'count',
    least: 0,
    most: 1_000_000,
    default: 0,
    help: 'most clients at a time that are the same user; a further one is told so and does not become it; 0: as many as max-clients',
  },
  commandsPerUser: {
    path: 'commands-per-user',
    type: 'count',
    least: 0,
    most: 100_000_000,
    default: 0,
    help: 'commands a second that clients of one user may send; beyond, limit-mode says what happens; 0: any number',
  },
  bytesPerUser: {
    path: 'bytes-per-user',
    type: 'size',
    least: '0',
    most: '16gb',
    default: '0',
    help: 'bytes a second that clients of one user may send; beyond, limit-mode says what happens; 0: any number',
  },
  userLimits: {
    path: 'user-limits',
    type: 'user limits',
    help: 'limits of single users, by name, in the place of the three for all users: max-clients, commands, bytes',
  },
  limitMode: {
    path: 'limit-mode',
    type: 'choice',
    values: ['slow', 'refuse'],
    default: 'slow',
    help: 'what happens beyond commands or bytes a second: clients are not read for a while, or commands are answered -LIMIT',
    flag: 'slow|refuse',
  },
  limitScope: {
    path: 'limit-scope',
    type: 'choice',
    values: ['proxy', 'fleet'],
    default: 'proxy',
    help: 'what the limits of an address and of a user are for: each proxy of a fleet, or all together, of which each live one has an equal part',
    flag: 'proxy|fleet',
  },
  idleTimeout: {
    path: 'idle-timeout',
    type: 'duration',
    least: '0',
    most: '8760h',
    default: '0',
    help: 'clients that send nothing for so long are closed; 0: never',
  },
  clientMaxPending: {
    path: 'client-max-pending',
    type: 'count',
    least: 16,
    most: 16_777_216,
    default: 8192,
    help: "a client's commands in flight at which its reading pauses",
  },
  clientOutputLimit: {
    path: 'client-output-limit',
    type: 'size',
    least: '64kb',
    most: '16gb',
    default: '64mb',
    help: 'replies that a client has not taken at which its reading pauses',
  },
  clientQueryLimit: {
    path: 'client-query-limit',
    type: 'size',
    least: '64kb',
    most: '16gb',
    default: '1gb',
    help: 'largest request that is gathered (those of several keys); values of one key are streamed',
  },
  clientStallTimeout: {
    path: 'client-stall-timeout',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '1m',
    help: 'a client that takes none of its replies, or sends nothing of the large value that it has begun, for so long is closed',
  },
  clientUploadTimeout: {
    path: 'client-upload-timeout',
    type: 'duration',
    least: '100ms',
    most: '24h',
    default: '1h',
    help: 'most time that a client may take to send one large value; then it is closed',
  },

  // Values and keys.
  maxBulkLength: {
    path: 'max-bulk-length',
    type: 'size',
    least: '1kb',
    most: '512mb',
    default: '512mb',
    help: 'longest argument of a command',
  },
  streamThreshold: {
    path: 'stream-threshold',
    type: 'size',
    least: '16kb',
    most: '1gb',
    default: '256kb',
    help: 'values from this size on are passed on as they come instead of being gathered',
  },
  databases: {
    path: 'databases',
    type: 'count',
    least: 1,
    most: 1024,
    default: 16,
    help: 'databases that SELECT offers; the nodes must have as many',
  },
  tcpKeepalive: {
    path: 'tcp-keepalive',
    type: 'duration',
    least: '1s',
    most: '24h',
    default: '1m',
    help: 'idle time after which TCP asks whether the other side is still there',
  },
  keyGroups: {
    path: 'key-groups',
    type: 'key groups',
    help: 'groups of keys by their prefixes, at most 32: commands, hits, misses and latency are counted apart; in the file also how each is cached',
    flag: 'GROUP=PREFIX[,PREFIX]',
  },
} as const satisfies Readonly<Record<string, SettingRow & SettingForm>>;

type DataPlaneRows = typeof DATA_PLANE_SETTINGS;
type DataPlaneSettingName = keyof DataPlaneRows;

/** What the settings are set to. */
export type DataPlaneSettings = { readonly [Name in DataPlaneSettingName]: SettingValue<DataPlaneRows[Name]> };

/** Those that may become others while clients are served: each is looked at when it is needed. */
const LIVE_SETTINGS = [
  ...(['password', 'users', 'usersFile', 'userScripts'] as const),
  ...(['protectedMode', 'maxClients', 'idleTimeout', 'adminCommands'] as const),
  ...(['crossNodeMaxBytes', 'crossNodeUsers'] as const),
  ...(['denyCommands', 'renameCommands'] as const),
  ...(['maxClientsPerAddress', 'commandsPerAddress', 'bytesPerAddress'] as const),
  ...(['maxClientsPerUser', 'commandsPerUser', 'bytesPerUser', 'userLimits', 'limitMode'] as const),
  'limitScope',
  ...(['clientOutputLimit', 'clientQueryLimit', 'clientStallTimeout', 'clientUploadTimeout'] as const),
  ...(['requestTimeout', 'reconnectBackoffMax', 'streamThreshold'] as const),
] as const satisfies readonly DataPlaneSettingName[];

export type LiveSettingName = (typeof LIVE_SETTINGS)[number];
export type LiveSettings = Pick<DataPlaneSettings, LiveSettingName>;

/** @returns for each of these what `of` says */
export function forLiveSettings<T>(of: (name: LiveSettingName) => T): Record<LiveSettingName, T> {
  return forNames(LIVE_SETTINGS, of);
}

function forNames<Name extends string, T>(names: readonly Name[], of: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;
}

/** @returns those of `settings` that may become others */
export function pickLiveSettings(settings: LiveSettings): LiveSettings {
  // Every row has its own value.
  return forLiveSettings<unknown>((name) => settings[name]) as LiveSettings;
}

/** @returns those of `settings` that are the data plane's, and nothing else */
export function pickDataPlaneSettings(settings: DataPlaneSettings): DataPlaneSettings {
  const names = Object.keys(DATA_PLANE_SETTINGS) as DataPlaneSettingName[];
  // Every row has its own value.
  return forNames<DataPlaneSettingName, unknown>(names, (name) => settings[name]) as DataPlaneSettings;
}
