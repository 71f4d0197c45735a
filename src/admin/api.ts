/** The JSON of the admin HTTP API. Field names are part of the public contract: extend, never rename. */

/** As in the routing snapshot; spelled out here, so that the page's program needs no other file of ours. */
export type RingPhase = 'stable' | 'preparing' | 'moving';

export type NodeState = 'active' | 'joining' | 'leaving' | 'down' | 'ejected';

/** What a node's server says of itself; null: it does not say that. */
export interface NodeFiguresView {
  /** Bytes; 0: no limit. */
  maxMemory: number | null;
  /** What it does when that is reached. */
  maxMemoryPolicy: string | null;
  /** Bytes that the operating system has given it. */
  residentMemory: number | null;
  /** These divided by what it uses. */
  fragmentation: number | null;
  /** Keys that it gave up for want of memory, since its start. */
  evictedKeys: number | null;
  expiredKeys: number | null;
  /** Proxies and everybody else. */
  connectedClients: number | null;
  /** Of these, those that wait for something (BLPOP …). */
  blockedClients: number | null;
  maxClients: number | null;
  /** `master`, or `slave` for a replica. */
  role: string | null;
  loading: boolean | null;
  uptimeSeconds: number | null;
}

/** A node as the proxy that answers sees it. */
export interface OwnNodeView {
  name: string;
  address: string;
  /** Whether this proxy speaks TLS with it. */
  tls: boolean;
  weight: number;
  state: NodeState;
  /** Part of the hash space that the node owns, 0 to 1. */
  share: number;
  /** Of the ring that follows, while the ring changes; otherwise null. */
  nextShare: number | null;
  /** Keys in all databases, or null when the node did not answer the last probe. */
  keys: number | null;
  /** Bytes, or null when the node did not answer the last probe. */
  usedMemory: number | null;
  /** Of its server, as of the last probe; or null. */
  version: string | null;
  /** What else its server says of itself (INFO), or null when it did not answer the last probe, or may not be asked. */
  figures: NodeFiguresView | null;
  /** Why the node is down, or null. */
  error: string | null;
  /** Since when it is down for this proxy (ISO date), or null. */
  downSince: string | null;
  /** What is wrong with the node, also when it is up, in its own words where it has said some; or null. */
  reason: string | null;
  /** That the fleet has taken it out of the ring, until it answers again; null: it has not. */
  ejection: NodeEjection | null;
  /** Of a node whose address says who knows where its master is; otherwise null. */
  master: NodeMasterView | null;
}

export interface NodeEjection {
  /** ISO date. */
  since: string;
  /** For people. */
  why: string;
  /** How often it was taken out lately, this time included. */
  times: number;
}

/** Where the master of a node is, and who says so. */
export interface NodeMasterView {
  /** `HOST:PORT`; null: it is not known, or the node is failing over. */
  address: string | null;
  source: 'sentinel' | 'addresses';
  /** Of Sentinel's configuration; otherwise null. */
  epoch: number | null;
  /** Since this proxy started. */
  failovers: number;
  /** Bytes of the replication stream that new masters never heard of, as far as it could be told; since this proxy started. */
  lostBytes: number;
  /** Of the failovers: to a server that had not followed the master before. */
  unrelated: number;
  /** How often a master was emptied before it served, since what it had may be of the past; since this proxy started. */
  emptied: number;
}

export interface NodeView extends OwnNodeView {
  /** Ids of the proxies for which the node is down, as far as they have told. */
  downFor: string[];
  /** What these proxies say of it. */
  opinions: NodeOpinionView[];
}

/** What a proxy says of a node that is down for it. */
export interface NodeOpinionView {
  /** Its id. */
  proxy: string;
  /** ISO date, by its clock. */
  since: string;
  /** For people. */
  why: string;
}

/** `eject`, `return`: by the fleet itself (`on-node-failure: eject`). */
export type ChangeKind = 'add' | 'remove' | 'reweight' | 'replace' | 'apply' | 'cancel' | 'eject' | 'return';

export interface ChangeView {
  id: string;
  kind: ChangeKind;
  /** What it does, with its nodes: `add node4`. */
  summary: string;
  phase: RingPhase;
  paused: boolean;
  startedAt: string;
  keysMoved: number;
  keysScanned: number;
  /** Of the nodes that lose keys: what they held when keys began to move. */
  keysEstimated: number;
  bytesMoved: number;
  /** Keys that read as missing, since what their node had after a restart could not be told from the past. */
  keysDropped: number;
  percent: number;
  etaSeconds: number | null;
  /** Keys moved a second, without the time in which it was paused; 0 while it is. */
  keysPerSecond: number;
  /** Keys a second at most; 0: no limit. */
  throttle: number;
  sources: {
    node: string;
    done: boolean;
    keysMoved: number;
    keysScanned: number;
    owner: string;
    /** The large key that is being moved alone, or null. */
    largeKey: { key: string; bytes: number } | null;
  }[];
  error: string | null;
}

/** What a proxy did within the last seconds, as it tells the others: it may be some seconds old. */
export interface ProxyLoad {
  /** ISO date. */
  at: string;
  clients: number;
  commandsPerSecond: number;
  errorsPerSecond: number;
  hitsPerSecond: number;
  missesPerSecond: number;
  /** Seconds; null when there were no commands. */
  p99: number | null;
  /** Processor time a second of all its processes: 1 is a whole core. */
  cores: number;
  /** Bytes. */
  residentMemory: number;
}

/** A proxy of the fleet. One that is alone is the only member of its own. */
export interface ProxyView {
  id: string;
  /** URL of its admin API, as the others reach it; empty where it has none. */
  admin: string;
  /** Its lease holds. */
  alive: boolean;
  generation: number;
  phase: RingPhase;
  workers: number;
  version: string;
  /** It was passed in a fence, or forgotten, and may not speak to nodes any more. */
  fencedOff: boolean;
  /** It decides about the ring: raises fences, and records each step of a change. */
  coordinator: boolean;
  /** What it does for the whole fleet, such as `mover/node1`; without `coordinator`. */
  jobs: string[];
  /** ISO date, or null where it is not known. */
  startedAt: string | null;
  /** Null: it has told nothing. */
  load: ProxyLoad | null;
}

/** Where the proxies of a ring agree on it, and how this proxy gets on with that. */
export interface CoordinationView {
  kind: 'none' | 'etcd';
  /** The id of the proxy that answers; in a fleet it is a new one when the proxy had to register anew. */
  proxy: string;
  /** What the fleet does while etcd is out of reach. */
  consistency: 'strict' | 'available';
  reachable: boolean;
  /** Since when it is out of reach (ISO date), or null. */
  unreachableSince: string | null;
  /** For how long yet this proxy's lease holds for certain; 0: it has run out; null: it needs none. */
  leaseSeconds: number | null;
  /** What is wrong, and what it means for clients and changes; or null. */
  trouble: string | null;
}

/** The ring as it is recorded, and as the proxy that answers sees its nodes. */
export interface OwnRingView {
  generation: number;
  phase: RingPhase;
  hash: string;
  distribution: string;
  hashTag: string;
  /** Which part of a key without a hash tag is hashed; the first pattern that matches counts. */
  hashTags: string[];
  vnodes: number;
  nodes: OwnNodeView[];
  change: ChangeView | null;
}

/** `GET /v1/ring` and `ringproxy ring show --json`. */
export interface RingView extends OwnRingView {
  nodes: NodeView[];
  proxies: ProxyView[];
  coordination: CoordinationView;
}

/** An element of `GET /v1/ring/which?key=…&key=…` and of `ringproxy ring which --json`. */
export interface WhichView {
  key: string;
  /** The key's hash as an unsigned 32-bit number. */
  hash: number;
  node: string;
  address: string;
  nextNode: string | null;
}

/** `GET /v1/ring/arcs?limit=N`: the ring as pieces that cover the hash space, few enough to be drawn. */
export interface ArcsView {
  generation: number;
  phase: RingPhase;
  /** Points on the ring. */
  points: number;
  /** Whether the arcs are those of the ring; otherwise they are a fair sample of it. */
  exact: boolean;
  /** `id` is the same for as long as the node is a member, and the same for every proxy of the ring. */
  nodes: { name: string; id: number }[];
  /** From (exclusive) and to (inclusive) which hash, the owner and the next owner as indices of `nodes`. */
  arcs: [from: number, to: number, owner: number, next: number][];
}

export interface NodeInput {
  name?: string | undefined;
  /** HOST:PORT; `rediss://HOST:PORT`: it is spoken to by TLS, `redis://HOST:PORT`: it is not, whatever holds for the others. */
  address: string;
  weight?: number | undefined;
  /** As in the configuration, where the node differs from the others. Kept with the ring, and never shown. */
  username?: string | undefined;
  password?: string | undefined;
  /** Where other nodes find it, HOST:PORT, if not under its address; with a scheme as in front of the address. */
  peerAddress?: string | undefined;
  /** Whether it is spoken to by TLS, where its address does not say. */
  tls?: boolean | undefined;
  /** Name or IP address that its certificate bears, if not the host of its address. */
  tlsServerName?: string | undefined;
}

/** Another server for a node: what it has in common with the one before need not be said. */
export interface ReplaceInput extends Omit<NodeInput, 'name' | 'weight'> {
  name: string;
}

/** The body of `POST /v1/ring/changes`. */
export interface ChangeRequest {
  kind: ChangeKind;
  /** Nodes that join (kind `add`). */
  add?: NodeInput[] | undefined;
  /** Names of nodes that leave (kind `remove`). */
  remove?: string[] | undefined;
  /** New weights (kind `reweight`). */
  weights?: { name: string; weight: number }[] | undefined;
  /** New addresses of nodes that keep their names and their place on the ring (kind `replace`). */
  replace?: ReplaceInput[] | undefined;
  /** Give up the keys of the nodes that leave, and of the servers that are replaced: they are gone already. */
  noDrain?: boolean | undefined;
  /** Empty nodes that join and hold keys, instead of refusing them. */
  flush?: boolean | undefined;
  /** Go on although proxies that are none of this fleet are connected to the nodes: what they write may be lost. */
  force?: boolean | undefined;
  /** Keys a second at most, from the first one on; 0: as fast as it goes. */
  throttle?: number | undefined;
  dryRun?: boolean | undefined;
}

/** The answer to `POST /v1/ring/changes`. */
export interface ChangeAccepted {
  /** The generation that the change leads to (with `dryRun`: would lead to). */
  generation: number;
  dryRun: boolean;
  /** Things that the operator must know, loudest first. */
  warnings: string[];
  /** What changes owner: part of the hash space by source and target. */
  moves: { source: string; target: string; share: number }[];
  /** With `dryRun`: the largest keys that would move (bytes as MEMORY USAGE tells), of as many as there was time to look at. */
  survey: {
    largest: { node: string; database: number; key: string; bytes: number }[];
    keys: number;
    complete: boolean;
  } | null;
}

/** What a look at the keys of one node has found. */
export interface NodeStrays {
  node: string;
  address: string;
  /** When all of its keys were last looked at (ISO date), or null. */
  checkedAt: string | null;
  /** That were looked at. */
  keys: number;
  /** Those that the node does not own, and has. */
  strays: number;
  removed: number;
  /**
   * Keys of replicated groups, which no node should have: clients do not see them here, and they are never removed. A
   * script that does not declare its keys writes such, or they were there before their group became a replicated one.
   */
  replicated: number;
  /** Of the strays and those removed, by likely cause. */
  causes: { restart: number; ejection: number; other: number };
  /** Some of them. */
  examples: { database: number; key: string }[];
  /** Why the node could not be looked at, or null. */
  error: string | null;
}

/** `GET /v1/ring/check`. */
export interface StrayReport {
  /** A check that was asked for is under way. */
  running: boolean;
  /** It removes what it finds. */
  fix: boolean;
  nodes: NodeStrays[];
}

export interface HistoryEntry {
  id: string;
  kind: ChangeKind | 'bootstrap';
  generation: number;
  startedAt: string;
  finishedAt: string;
  /** The proxy at which it was asked for. */
  by: string;
  /** Who has asked: the token's name, and what the caller says of itself; null: not known. */
  who: string | null;
  summary: string;
  keysMoved: number;
  bytesMoved: number;
  /** As in `ChangeView`. */
  keysDropped: number;
  durationSeconds: number;
}

export interface CommandStats {
  command: string;
  calls: number;
  errors: number;
  /** Seconds; null when there were no calls. */
  p50: number | null;
  p99: number | null;
}

export interface NodeStats {
  node: string;
  address: string;
  up: boolean;
  commands: number;
  errors: number;
  timeouts: number;
  reconnects: number;
  inflight: number;
  connections: number;
  bytesIn: number;
  bytesOut: number;
  /** Seconds; null when there were no commands. */
  p50: number | null;
  p99: number | null;
}

/** Commands on keys of one group (setting `key-groups`); `other` has those that no prefix fits. */
export interface KeyGroupStats {
  group: string;
  /** A command counts for the group of its first key. */
  commands: number;
  errors: number;
  hits: number;
  misses: number;
  /** Seconds; null when there were no commands. */
  p50: number | null;
  p99: number | null;
}

/** A process that serves clients. */
export interface WorkerView {
  /** One that takes the place of another has a number of its own. */
  number: number;
  /** The label `worker` of its metrics, from 1 on; one that takes the place of another takes its slot. */
  slot: number;
  pid: number;
  clients: number;
}

/** `GET /v1/stats` and `ringproxy stats --json`. Counters start at zero with the process. */
export interface StatsView {
  proxy: string;
  version: string;
  uptimeSeconds: number;
  generation: number;
  clients: number;
  clientsTotal: number;
  clientsRejected: number;
  commands: number;
  errors: number;
  hits: number;
  misses: number;
  bytesIn: number;
  bytesOut: number;
  /** Bytes of resident memory of the process. */
  residentMemory: number;
  eventLoopLagSeconds: number;
  workers: WorkerView[];
  commandStats: CommandStats[];
  nodeStats: NodeStats[];
  /** In the order of the configuration, `other` last; empty when no groups are configured. */
  keyGroups: KeyGroupStats[];
}

/** What a node did within some seconds. */
export interface NodeLoad {
  node: string;
  address: string;
  up: boolean;
  /** Commands that wait for the node at the end. */
  inflight: number;
  commandsPerSecond: number;
  errorsPerSecond: number;
  /** Seconds; null when there were no commands. */
  p50: number | null;
  p99: number | null;
}

/** What was done with keys of a group within some seconds. */
export interface KeyGroupLoad {
  group: string;
  commandsPerSecond: number;
  hitsPerSecond: number;
  missesPerSecond: number;
}

/** What the proxy did within some seconds: an element of `GET /v1/load/history`, and `GET /v1/load?seconds=N`. */
export interface LoadView {
  /** The end. */
  at: string;
  /** How long it was. */
  seconds: number;
  /** At the end. */
  clients: number;
  /** Clients whose next command waits for the ring, at the end. */
  heldClients: number;
  /** The greatest of each second's mean. */
  eventLoopLagSeconds: number;
  commandsPerSecond: number;
  errorsPerSecond: number;
  hitsPerSecond: number;
  missesPerSecond: number;
  bytesInPerSecond: number;
  bytesOutPerSecond: number;
  keysMovedPerSecond: number;
  /** Processor time a second of all processes of the proxy: 1 is a whole core. */
  cores: number;
  /** Bytes of resident memory of all processes of the proxy, at the end. */
  residentMemory: number;
  /** Seconds; null when there were no commands. */
  p50: number | null;
  p99: number | null;
  nodes: NodeLoad[];
  /** As in `StatsView`. */
  keyGroups: KeyGroupLoad[];
}

/** `GET /v1/hot` and `ringproxy hot --json`: the keys that are used most, the hottest first. */
export interface HotView {
  keys: HotKeyView[];
  /** Uses of keys that were looked at to find out; what is long ago counts less. With few of them, the order is by chance. */
  sampled: number;
  /** Uses of keys a second, of all keys: a command of several keys uses each of them. */
  perSecond: number;
  /** Whose part is missing, and why. */
  missing: { proxy: string; why: string }[];
}

export interface HotKeyView {
  /** UTF-8 that can be seen is as it is, each other byte `\xNN`, a backslash `\\`. Of a long key the beginning, with `…`. */
  key: string;
  /** Of the whole key. */
  bytes: number;
  database: number;
  /** Of `key-groups`; null: none are configured. */
  group: string | null;
  /** Null: the key is too long to be remembered whole, or every proxy has it (a replicated group), and no node. */
  node: string | null;
  commandsPerSecond: number;
  /** Of all uses of keys, 0 to 1. */
  share: number;
  /** How many of its uses only read it, 0 to 1. */
  reads: number;
  /** A proxy keeps it near, since it is hot (`near-auto`). */
  near: boolean;
  /** How its group is cached; null: there are no groups. */
  cache: 'sharded' | 'near' | 'replicated' | null;
}

/**
 * `GET /v1/advice` and `ringproxy advise --json`: which keys commands had on several nodes since the proxies were
 * started. Counts are of all proxies of the ring; with `fleet=false` of the one that is asked.
 */
export interface AdviceView {
  /** Commands whose keys were on several nodes; of those that are split by key (MGET) an estimate. */
  commands: number;
  /** How many of these were refused. */
  refused: number;
  /** The commonest first. */
  advice: AdviceRow[];
  /** `ring.hash-tags` that would do without changing names, with those that the ring has; empty: none would. */
  hashTags: string[];
  /** Whose part is missing, and why. */
  missing: { proxy: string; why: string }[];
}

export interface AdviceRow {
  command: string;
  calls: number;
  /** How many of these were answered an error for it. */
  refused: number;
  /** What its keys look like: an asterisk for what differs from command to command. */
  keys: string[];
  /** The same keys with a hash tag that brings them together; null: none would, or none is worth it. */
  tagged: string[] | null;
  /** Patterns of `ring.hash-tags` that do the same; null: none would. */
  patterns: string[] | null;
  /** `value`: keys with the same value there are on one node. `prefix`: all such keys are on one node. */
  scope: 'value' | 'prefix' | null;
  /** Keys of one such command. */
  example: string[];
}

/** How keys are told apart and cached: `GET /v1/groups` and `ringproxy groups --json`. Counts are of all proxies of the ring. */
export interface GroupsView {
  /** Where the groups stand: with the ring, for all proxies, or in the configuration of this one. */
  source: 'ring' | 'configuration';
  /** What a change may name (`revision=…`), so that it is refused when somebody else was faster; 0: nothing is recorded. */
  revision: number;
  /** Who has changed them last: the id of the proxy at which it was asked for, and when (ISO date); null: nobody. */
  changed: { by: string; at: string } | null;
  groups: GroupView[];
  /** Keys of no group; null: there are no groups. */
  other: GroupCountsView | null;
  /** Whose counts are missing, and why. */
  missing: { proxy: string; why: string }[];
}

export interface GroupView extends GroupCountsView {
  group: string;
  prefixes: string[];
  /** In the words of the configuration; `cache` is always there. */
  policy: Record<string, string>;
  /**
   * Of `cache: near`: what all processes of all proxies keep, and reads that were answered from there, or not, with the
   * share of those that were (0 to 1; null: nothing was read); else null.
   */
  near: { entries: number; bytes: number; hits: number; misses: number; hitRatio: number | null } | null;
  /** Of `cache: replicated`: what each process of each proxy has; else null. */
  replicated: { keys: number; bytes: number } | null;
  /** What became of misses, by outcome, as in `ringproxy_fill_waits_total`; null: the group has no `fill-wait`. */
  fill: Record<string, number> | null;
  /**
   * Of these misses, how many have spared their clients making the value (`filled`, `stale`), 0 to 1; null: there were
   * none, or `fill` is null.
   */
  fillShare: number | null;
  /** Who has answered reads, by outcome, as in `ringproxy_replica_reads_total`; null: the group has not `read-from: replica`. */
  replicaReads: Record<string, number> | null;
  /** Of these reads, how many replicas have answered, 0 to 1; null: nothing was read, or `replicaReads` is null. */
  replicaShare: number | null;
}

/** Since the start of each proxy. */
export interface GroupCountsView {
  /** A command counts for the group of its first key. */
  commands: number;
  /** Within the last ten seconds; null: not measured yet. */
  commandsPerSecond: number | null;
  errors: number;
  hits: number;
  misses: number;
  /** 0 to 1; null: nothing was read. */
  hitRatio: number | null;
}

/** What operators ask of the groups of keys. */
export type GroupsChange =
  /** A group becomes as it is written, as in the configuration, or is made. */
  | { readonly kind: 'put'; readonly group: string; readonly written: unknown }
  /** What is not named stays; a word that is null becomes its default again. */
  | { readonly kind: 'set'; readonly group: string; readonly words: Readonly<Record<string, unknown>> }
  | { readonly kind: 'remove'; readonly group: string }
  /** All become as they are written, as in the configuration. */
  | { readonly kind: 'all'; readonly written: unknown }
  /** Those of each proxy's configuration. */
  | { readonly kind: 'reset' };

/** What a change of the groups would do: the answer to one with `dryRun=true`. */
export interface GroupsPreview {
  dryRun: true;
  /** Where the groups would stand, and of which revision they would be changed: as in `GroupsView`. */
  source: GroupsView['source'];
  revision: number;
  /** In words, what would be otherwise; empty: nothing. */
  differences: string[];
  groups: Pick<GroupView, 'group' | 'prefixes' | 'policy'>[];
  /** What was looked at for keys that would not be seen any more; empty: none can be hidden by it. */
  hidden: HiddenKeysView[];
  /** Keys would not be seen any more, or that is not known: it is refused without `force=true`. */
  needsForce: boolean;
}

/** What a node, or the proxies, have of keys that would be looked for elsewhere. */
export interface HiddenKeysView {
  /** Null: they are in the proxies, where all have the same. */
  node: string | null;
  address: string | null;
  /** What they begin with. */
  prefixes: string[];
  /** That were found. */
  keys: number;
  /** There are no others. */
  complete: boolean;
  /** Why it could not be looked at, or null. */
  error: string | null;
}

export interface GroupsChangeOptions {
  /** Go on although keys that are there are not seen any more; they are not looked for then. */
  readonly force: boolean;
  /** What whoever asks has seen (`GroupsView.revision`); null: whatever there is. */
  readonly revision: number | null;
}

/** `GET /v1/whoami`: what the token that came with it is good for. */
export interface WhoamiView {
  /** Of the token; null: none is needed. */
  name: string | null;
  role: 'viewer' | 'operator' | 'admin';
}

/** A call of the admin API that would change something, or one that was refused. */
export interface AuditEntry {
  at: string;
  /** The proxy that was called. */
  proxy: string;
  /** The name of the token; null: there was none that is valid, or none is needed. */
  who: string | null;
  role: WhoamiView['role'] | null;
  /** Where the connection came from; empty: a Unix socket. */
  address: string;
  /** What the caller says of itself: user@host of the command line, otherwise the program's name. Not to be relied on. */
  client: string | null;
  method: string;
  /** With what stands behind the question mark. */
  path: string;
  /** The body as JSON, without passwords, cut where it is long; null: there was none, or it was not read. */
  body: string | null;
  /** It would only have said what it does. */
  dryRun: boolean;
  outcome: 'done' | 'refused' | 'failed';
  /** HTTP's. */
  status: number;
  /** Of the error; null: there was none. */
  code: string | null;
  /** So many refused calls of before are not listed, since there were too many. */
  unlisted: number;
}

/** `GET /v1/audit` */
export interface AuditView {
  /** Oldest first. */
  entries: AuditEntry[];
  /** Proxies that have not answered. */
  missing: { proxy: string; why: string }[];
}

/** `GET /healthz`: the process lives. */
export interface HealthView {
  status: 'ok';
}

/** `GET /readyz`, when clients can be served; otherwise an error says why not. */
export interface ReadyView {
  status: 'ready';
}

/** What went wrong, under a stable code, and what to do. */
export interface ApiError {
  error: { code: string; message: string; hint: string };
}
