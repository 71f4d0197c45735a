import type { NodeEndpoint, Speech } from '../node/endpoint.js';
import type { Followed } from '../node/followed.js';
import type { Timers } from '../time/timers.js';
import type { AgreementPort } from './agreement.js';

export interface MastersOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  /** How Sentinels are spoken to. */
  readonly sentinels: () => Speech;
  readonly timers: Timers;
  /** Whether a master is emptied before it serves where what it has may be of the past. */
  readonly empties: () => boolean;
}

export interface MastersPorts<Node> {
  /** How to log in at a node's servers. */
  login(node: Node): Speech;
  /** From now on `of` gives something else. */
  changed(): void;
  /** @see HandOverPorts.cut */
  cut(): Promise<void>;
  /** @see HandOverPorts.drop @param more proxies beside those that are known */
  drop(server: NodeEndpoint, more?: readonly string[]): Promise<void>;
  /** @see EmptyingPorts.empty */
  empty(server: NodeEndpoint, mayRemove: (runId: string) => Promise<void>): Promise<string>;
  /** A master of the node was emptied, and serves. */
  emptied(node: Node, server: string): void;
  warn(message: string): void;
  /** Where it is recorded what the proxies of the ring agree on. */
  readonly agreement: AgreementPort;
}

/** What is shown of a followed node. */
export interface MasterView {
  readonly address: string | null;
  readonly source: Followed['kind'];
  readonly epoch: number | null;
  readonly failovers: number;
  /** Null: it cannot be told for one of them, or there was none. */
  readonly lostBytes: number;
  /** Of the failovers: to a server whose history did not go on from the one that served. */
  readonly unrelated: number;
  /** How often a master was emptied before it served. */
  readonly emptied: number;
  /** What is strange, or why there is no master; empty: nothing. */
  readonly reason: string;
}
