/** What a proxy does a second. */

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
