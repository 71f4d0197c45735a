/**
 * What the primary process (control plane, listening socket) and its workers (data plane) tell each other, over
 * Node.js' channel between processes, in order.
 */
import type { CommandInfo } from '../../commands/build.js';
import type { SentBatch } from '../../fleet/values/link.js';
import type { Restamping } from '../../fleet/values/restamping.js';
import type { NodeIdentity } from '../../node/identity.js';
import type { Ruling } from '../../node/standing.js';
import type { NodeCredentials } from '../../node/tls.js';
import type { KeyGroup } from '../../proxy/caching/policy.js';
import type { HotReport } from '../../proxy/measure/hot-keys/hot-report.js';
import type { CountedBy } from '../../proxy/measure/limit-counts.js';
import type { PlaneStats } from '../../proxy/measure/plane-stats.js';
import type { DataPlaneOptions } from '../../proxy/options.js';
import type { TopicCount } from '../../proxy/peers/fleet.js';
import type { PeerAnswer, PeerNews, PeerQuestion } from '../../proxy/peers/peers.js';
import type { LiveSettings } from '../../proxy/settings.js';
import type { RingPhase, RoutedNode, RoutingSnapshot } from '../../proxy/snapshot.js';
import type { LateConnection } from '../../rebalance/connections.js';
import type { KeyOfSource, KeyToSettle } from '../../rebalance/moves/asked-keys.js';
import type { RingsParts } from '../../ring/rings.js';
import type { TlsMaterial } from '../../tls/material.js';
import type { ProxyInfo } from '../host.js';
import type { Message } from './dispatch.js';

/** So long, what is written of the keys that all processes have is gathered. Milliseconds. */
export const VALUES_LATER_MS = 2;

export type WorkerOptions = Omit<DataPlaneOptions, 'standing'>;

/** By what right a worker speaks to nodes. */
export interface SentStanding {
  /** The proxy's id as connections bear it, in front of the worker's number. */
  readonly proxy: string;
  /** Until when that is certain, by `monotonicNow`, which is the same in all processes of a machine. */
  readonly validUntil: number;
  /** `clockShift` when that was certain. */
  readonly clockShift: number;
}

/** Nothing is sent to nodes. */
export interface SentSuspension {
  /** A sentence, for whoever sends a command. */
  readonly why: string;
  /** It ends with the next snapshot. */
  readonly endsWithRing: boolean;
}

/** What is used with nodes by TLS. */
export type SentCredential = Pick<NodeCredentials, 'id' | 'material' | 'rules'>;

/** A node, with its credentials by their id. */
export interface SentNode extends Omit<RoutedNode, 'tls'> {
  readonly tls?: { readonly serverName: string; readonly credentials: string } | undefined;
}

/** A routing snapshot without what cannot be sent. */
export interface SentSnapshot {
  readonly generation: number;
  readonly phase: RingPhase;
  readonly nodes: readonly SentNode[];
  /** Those of the nodes, each once. */
  readonly credentials: readonly SentCredential[];
  readonly rings: RingsParts;
  /** Tells changes apart; 0 when no keys move. */
  readonly moves: number;
  /** Sources that were swept already. */
  readonly swept: readonly number[];
  /** Of the nodes' processes, as they were when keys began to move. */
  readonly runIds: readonly string[];
}

/** How many clients of an address, or of a user, other workers have. */
export interface Elsewhere {
  readonly by: CountedBy;
  readonly name: string;
  readonly clients: number;
}

/** A script keeps the node busy, which answers `reply`; null: not any more. */
interface Busy {
  readonly name: string;
  readonly address: string;
  readonly reply: Uint8Array | null;
}

/** What a worker is started with. */
interface Start {
  readonly options: WorkerOptions;
  readonly commands: readonly CommandInfo[];
  readonly standing: SentStanding;
  /** Null: it may speak to nodes. */
  readonly suspension: SentSuspension | null;
  /** Of this worker, unique among all that the primary ever had. */
  readonly number: number;
  readonly snapshot: SentSnapshot | null;
  /** From 1 on; unique among the workers that live. */
  readonly slot: number;
  /** How many workers there may be. */
  readonly workers: number;
  /** The worker has inherited the file of the board. */
  readonly hasBoard: boolean;
  /** There are other proxies of the ring. */
  readonly hasFleet: boolean;
}

/** What the primary tells a worker. Questions and requests are told apart by numbers, keys that move by tokens. */
export interface ToWorkerTable {
  start: Start;
  /** With the client's socket. */
  client: {
    readonly id: number;
    /** It begins with TLS. */
    readonly tls: boolean;
    /** By what the primary counts it, to be told when it has gone; empty: it has no address. */
    readonly address: string;
  };
  /** Other workers have so many of these clients. */
  elsewhere: { readonly elsewhere: readonly Elsewhere[] };
  /** Whether the user may have one client more, which is counted then. */
  seat: { readonly question: number; readonly granted: boolean };
  certificates: { readonly certificates: readonly TlsMaterial[] };
  publish: { readonly snapshot: SentSnapshot };
  /** Connections that are opened from now on have these. */
  credentials: SentCredential;
  fence: { readonly request: number; readonly timeout: number };
  /** The nodes have dropped these. */
  dropped: { readonly late: readonly LateConnection[] };
  settled: { readonly moves: number; readonly token: number; readonly settled: boolean };
  swept: { readonly moves: number; readonly source: number };
  /** Whoever moves the keys that are gone knows of it, or cannot be told now. */
  noted: { readonly moves: number; readonly question: number; readonly noted: boolean };
  /** Moves hold still, as was asked for. */
  held: { readonly moves: number };
  /** A script that was asked for. */
  script: { readonly question: number; readonly body: Uint8Array | null };
  /** But for these, by their digests. */
  'scripts-flushed': { readonly kept: readonly string[] };
  busy: Busy;
  /** Another worker asks. */
  'peer-asked': { readonly question: number; readonly body: PeerQuestion };
  /** What the others have answered. */
  'peer-answers': { readonly question: number; readonly answers: readonly (PeerAnswer | null)[] };
  'peer-news': { readonly news: PeerNews };
  /** It has changed. */
  standing: SentStanding;
  /** @see PlaneHost.suspend */
  suspend: { readonly why: string };
  /** @see PlaneHost.resume */
  resume: object;
  /** What was asked of it. */
  ruled: { readonly question: number; readonly ruling: Ruling };
  /** The node may serve again. */
  serves: { readonly question: number };
  commands: { readonly commands: readonly CommandInfo[] };
  groups: { readonly groups: readonly KeyGroup[] };
  settings: { readonly settings: LiveSettings };
  info: ProxyInfo;
  stats: { readonly request: number };
  'hot-keys': { readonly question: number };
  /** What other processes have written of the keys that all of them have. */
  values: SentBatch;
  'values-taken': { readonly number: number };
  /** Stamps are made anew; it says so back when it has done that. */
  'values-restamped': Restamping;
  close: { readonly timeout: number };
}

/** What a worker tells the primary. */
export interface FromWorkerTable {
  started: object;
  /** May this user have one client more? */
  'seat-wanted': { readonly question: number; readonly user: string };
  /** It has one more, however many there are. */
  'user-entered': { readonly user: string };
  /** Clients have gone, or are other users: once for each. */
  left: { readonly left: readonly { readonly by: CountedBy; readonly name: string }[] };
  clients: { readonly accepted: number; readonly open: number; readonly commands: number };
  /** @see DataPlane.fence */
  fenced: {
    readonly request: number;
    /** What was not answered in time. */
    readonly slow: readonly string[];
    readonly late: readonly LateConnection[];
  };
  settle: { readonly moves: number; readonly keys: readonly KeyToSettle[] };
  /** Sources have answered a worker that they do not have these keys. */
  gone: { readonly moves: number; readonly question: number; readonly keys: readonly KeyOfSource[] };
  hold: { readonly moves: number };
  release: { readonly moves: number };
  /** A client has sent a script that the worker did not know. */
  learned: { readonly body: Uint8Array };
  'script-wanted': { readonly question: number; readonly digest: string };
  'scripts-flushed': object;
  /** For other proxies. */
  topics: { readonly topics: readonly TopicCount[] };
  busy: Busy;
  /** For all other workers. */
  'peer-question': { readonly question: number; readonly body: PeerQuestion };
  'peer-answer': { readonly question: number; readonly answer: PeerAnswer };
  'peer-news': { readonly news: PeerNews };
  /** A node is back that was down, and waits for leave to serve. */
  returned: { readonly question: number; readonly node: NodeIdentity };
  /** A connection bears this proxy's id: may it speak? */
  'standing-asked': { readonly question: number; readonly proxy: string };
  stats: { readonly request: number; readonly stats: PlaneStats };
  'hot-keys': { readonly question: number; readonly report: HotReport };
  /** What its clients have written of the keys that all processes have. */
  values: SentBatch;
  'values-taken': { readonly number: number };
  'values-restamped': Restamping;
  event: { readonly channel: string; readonly event: object };
}

export type ToWorker<Type extends keyof ToWorkerTable = keyof ToWorkerTable> = Message<ToWorkerTable, Type>;
export type FromWorker<Type extends keyof FromWorkerTable = keyof FromWorkerTable> = Message<FromWorkerTable, Type>;

/** The bytes of a message, which come as a plain array. They are not copied. */
export function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function sentCredential({ id, material, rules }: NodeCredentials): SentCredential {
  return { id, material, rules };
}

export function toSent(snapshot: RoutingSnapshot, moves: number): SentSnapshot {
  return {
    generation: snapshot.generation,
    phase: snapshot.phase,
    nodes: snapshot.nodes.map(({ id, name, address, weight, username, password, isGivenUp, master, process, tls }) => ({
      ...{ id, name, address, weight, isGivenUp, process },
      ...{ username, password, master },
      ...(tls === undefined ? {} : { tls: { serverName: tls.serverName, credentials: tls.credentials.id } }),
    })),
    credentials: [...new Set(snapshot.nodes.flatMap(({ tls }) => tls?.credentials ?? []))].map(sentCredential),
    rings: snapshot.rings.parts,
    moves,
    swept: snapshot.moves?.sweptSources ?? [],
    runIds: snapshot.nodes.map((_node, index) => snapshot.moves?.runIdOf(index) ?? ''),
  };
}
