/** The proxies of a ring. */
import type { RingPhase } from './ring-phase.js';

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
