/** What a proxy has counted since its start. */

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
