/** Changes of the ring: what is asked for, how far it is, what was. */
import type { RingPhase } from './ring-phase.js';

/** `eject`, `return`: by the fleet itself (`on-node-failure: eject`). */
export type ChangeKind = 'add' | 'remove' | 'reweight' | 'replace' | 'apply' | 'cancel' | 'eject' | 'return';

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
