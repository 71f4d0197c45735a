/**
 * What the primary process (control plane, listening socket) and its workers (data plane) tell each other, over
 * Node.js' channel between processes, in order.
 */
import type { CommandInfo } from '../../commands/build.js';
import type { NodeIdentity } from '../../node/identity.js';
import type { PlaneStats } from '../../proxy/measure/plane-stats.js';
import type { DataPlaneOptions } from '../../proxy/options.js';
import type { PeerAnswer, PeerNews, PeerQuestion } from '../../proxy/peers/peers.js';
import type { RingPhase, RoutedNode, RoutingSnapshot } from '../../proxy/snapshot.js';
import type { LateConnection } from '../../rebalance/connections.js';
import type { Continuum } from '../../ring/continuum.js';
import { Ring, type RingOptions } from '../../ring/ring.js';
import type { ProxyInfo } from '../host.js';

export type WorkerOptions = Omit<DataPlaneOptions, 'mayServe'>;

/** A routing snapshot without what cannot be sent. */
export interface SentSnapshot {
  readonly generation: number;
  readonly phase: RingPhase;
  readonly nodes: readonly RoutedNode[];
  readonly options: RingOptions;
  readonly ring: Continuum;
  readonly nextRing: Continuum | null;
  /** Tells changes apart; 0 when no keys move. */
  readonly moves: number;
  /** Sources that were swept already. */
  readonly swept: readonly number[];
  /** Of the nodes' processes, as they were when keys began to move. */
  readonly runIds: readonly string[];
}

export interface KeyOfSource {
  readonly source: number;
  readonly database: number;
  readonly key: Uint8Array;
}

export interface KeyToSettle extends KeyOfSource {
  /** Tells the keys apart that one worker asks for. */
  readonly token: number;
  readonly target: number;
}

/** A script keeps the node busy, which answers `reply`; null: not any more. */
interface BusyMessage {
  readonly type: 'busy';
  readonly name: string;
  readonly address: string;
  readonly reply: Uint8Array | null;
}

export type ToWorker =
  | {
      readonly type: 'start';
      readonly options: WorkerOptions;
      readonly commands: readonly CommandInfo[];
      readonly snapshot: SentSnapshot | null;
      /** From 1 on; unique among the workers that live. */
      readonly slot: number;
      /** How many workers there may be. */
      readonly workers: number;
      /** The worker has inherited the file of the board. */
      readonly hasBoard: boolean;
    }
  /** With the client's socket. */
  | { readonly type: 'client'; readonly id: number }
  | { readonly type: 'publish'; readonly snapshot: SentSnapshot }
  | { readonly type: 'fence'; readonly request: number; readonly timeout: number }
  /** The nodes have dropped these. */
  | { readonly type: 'dropped'; readonly late: readonly LateConnection[] }
  | { readonly type: 'settled'; readonly moves: number; readonly token: number; readonly settled: boolean }
  | { readonly type: 'swept'; readonly moves: number; readonly source: number }
  /** Moves hold still, as was asked for. */
  | { readonly type: 'held'; readonly moves: number }
  /** A script that was asked for. */
  | { readonly type: 'script'; readonly question: number; readonly body: Uint8Array | null }
  | { readonly type: 'scripts-flushed' }
  | BusyMessage
  /** Another worker asks. */
  | { readonly type: 'peer-asked'; readonly question: number; readonly body: PeerQuestion }
  /** What the others have answered. */
  | { readonly type: 'peer-answers'; readonly question: number; readonly answers: readonly (PeerAnswer | null)[] }
  | { readonly type: 'peer-news'; readonly news: PeerNews }
  /** The node may serve again. */
  | { readonly type: 'serves'; readonly question: number }
  | { readonly type: 'commands'; readonly commands: readonly CommandInfo[] }
  | ({ readonly type: 'info' } & ProxyInfo)
  | { readonly type: 'stats'; readonly request: number }
  | { readonly type: 'close'; readonly timeout: number };

export type FromWorker =
  | { readonly type: 'started' }
  | { readonly type: 'clients'; readonly accepted: number; readonly open: number; readonly commands: number }
  /** @see DataPlane.fence */
  | {
      readonly type: 'fenced';
      readonly request: number;
      /** What was not answered in time. */
      readonly slow: readonly string[];
      readonly late: readonly LateConnection[];
    }
  | { readonly type: 'settle'; readonly moves: number; readonly keys: readonly KeyToSettle[] }
  /** Sources have answered a worker that they do not have these keys. */
  | { readonly type: 'gone'; readonly moves: number; readonly keys: readonly KeyOfSource[] }
  | { readonly type: 'hold'; readonly moves: number }
  | { readonly type: 'release'; readonly moves: number }
  /** A client has sent a script that the worker did not know. */
  | { readonly type: 'learned'; readonly body: Uint8Array }
  | { readonly type: 'script-wanted'; readonly question: number; readonly digest: string }
  | { readonly type: 'scripts-flushed' }
  | BusyMessage
  /** For all other workers. */
  | { readonly type: 'peer-question'; readonly question: number; readonly body: PeerQuestion }
  | { readonly type: 'peer-answer'; readonly question: number; readonly answer: PeerAnswer }
  | { readonly type: 'peer-news'; readonly news: PeerNews }
  /** A node is back that was down, and waits for leave to serve. */
  | { readonly type: 'returned'; readonly question: number; readonly node: NodeIdentity }
  | { readonly type: 'stats'; readonly request: number; readonly stats: PlaneStats }
  | { readonly type: 'event'; readonly channel: string; readonly event: object };

export function toSent(snapshot: RoutingSnapshot, moves: number, swept: readonly number[]): SentSnapshot {
  return {
    generation: snapshot.generation,
    phase: snapshot.phase,
    nodes: snapshot.nodes.map(({ id, name, address, weight, username, password }) => ({
      ...{ id, name, address, weight },
      ...{ username, password },
    })),
    options: snapshot.ring.options,
    ring: snapshot.ring.continuum,
    nextRing: snapshot.nextRing?.continuum ?? null,
    moves,
    swept,
    runIds: snapshot.nodes.map((_node, index) => snapshot.moves?.runIdOf(index) ?? ''),
  };
}

/** The rings of a snapshot that was sent. */
export function ringsOf(sent: SentSnapshot): { ring: Ring; nextRing: Ring | null } {
  return {
    ring: new Ring(sent.nodes, sent.options, sent.ring),
    nextRing: sent.nextRing === null ? null : new Ring(sent.nodes, sent.options, sent.nextRing),
  };
}
