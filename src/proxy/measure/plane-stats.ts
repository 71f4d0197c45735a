/** What a data plane counted, as plain data: it may come from several processes, and is added up then. */

import type { ApartKeys } from './apart/apart-keys.js';
import { type AuthFailureCounts, noAuthFailures } from './auth-failures.js';
import type { CrossNodeWay } from './cross-node-counters.js';
import type { FillCounts } from './fill-counts.js';
import { type HandshakeCounts, noHandshakes } from './handshake-counts.js';
import { emptyHistogram, type HistogramData } from './histogram.js';
import { type AllLimitCounts, noLimitCounts } from './limit-counts.js';
import type { ReplicaReadCounts } from './replica-read-counts.js';

export interface CommandCounts {
  readonly command: string;
  calls: number;
  errors: number;
  readonly time: HistogramData;
}

export interface NodeCounts {
  readonly node: string;
  readonly address: string;
  /** Whether every process reaches it. */
  up: boolean;
  commands: number;
  errors: number;
  timeouts: number;
  reconnects: number;
  inflight: number;
  connections: number;
  bytesIn: number;
  bytesOut: number;
  readonly time: HistogramData;
}

/** A group of keys (`key-groups`). */
export interface GroupCounts {
  readonly group: string;
  calls: number;
  errors: number;
  hits: number;
  misses: number;
  /** What each process has of it, where its keys are replicated. */
  replicatedKeys: number;
  replicatedBytes: number;
  /** Reads that may be answered from what is kept near: those that were, and were not. */
  nearHits: number;
  nearMisses: number;
  /** Replies that are kept near, and the bytes that they take. */
  nearEntries: number;
  nearBytes: number;
  readonly fills: FillCounts;
  readonly replicaReads: ReplicaReadCounts;
  readonly time: HistogramData;
}

/** Commands whose keys are on several nodes. */
export interface CrossNodeCounts {
  readonly command: string;
  readonly way: CrossNodeWay;
  readonly time: HistogramData;
}

/** The replicas of a node, as far as they are read from. */
export interface ReplicaCounts {
  readonly node: string;
  readonly address: string;
  /** Those that the master names, and of these, those that are known to follow it. Of several processes, the least. */
  known: number;
  proven: number;
}

/** What nodes have told of changed keys, where replies are kept near. */
export interface NearCounts {
  /** Keys. */
  invalidations: number;
  /** How long nodes took to say that all changes were told: what is served is late by no more. */
  readonly lag: HistogramData;
}

/** A process of the data plane, as it is now. */
export interface ProcessFigures {
  /** From `1` on; a process that takes the place of one that died takes its number, too. */
  readonly worker: string;
  readonly clients: number;
  /** Bytes. */
  readonly residentMemory: number;
  readonly heapUsed: number;
  /** Processor time, user and system. */
  readonly cpuSeconds: number;
  /** Seconds by which the event loop was late on average in the last second. */
  readonly loopLag: number;
}

export interface PlaneStats {
  clients: number;
  clientsTotal: number;
  clientsRejected: number;
  /** Attempts to log in that failed. */
  readonly authFailures: AuthFailureCounts;
  readonly limited: AllLimitCounts;
  /** With clients, by their outcome. */
  readonly handshakes: HandshakeCounts;
  /** Those that are under way. */
  entering: number;
  hits: number;
  misses: number;
  bytesIn: number;
  bytesOut: number;
  /** Commands of all clients that are not answered. */
  pendingCommands: number;
  /** Replies that clients have not taken yet. */
  pendingBytes: number;
  /** Clients whose next command waits for the ring. */
  heldClients: number;
  /** Bytes. */
  residentMemory: number;
  heapUsed: number;
  /** Processor time, user and system. */
  cpuSeconds: number;
  /** Seconds by which the event loop was late on average in the last second; of several loops the latest. */
  loopLag: number;
  /** Error replies by the word that they begin with. */
  readonly errorKinds: Map<string, number>;
  readonly commands: CommandCounts[];
  readonly nodes: NodeCounts[];
  /** In the order of the configuration, `other` last; empty when none are configured. */
  readonly groups: GroupCounts[];
  /** What each process has of the keys that all processes have: keys with a value, and bytes of all. */
  replicatedKeys: number;
  replicatedBytes: number;
  /** What others have sent of them and was not taken: from too far in the future, or of a database that there is not. */
  replicatedRefused: number;
  readonly near: NearCounts;
  /** Of nodes whose replicas may be read from. */
  readonly replicas: ReplicaCounts[];
  /** How old what replicas were proven to have was when they were sent reads. */
  readonly replicaAge: HistogramData;
  readonly crossNode: CrossNodeCounts[];
  /** Which keys commands have on several nodes, the commonest first. */
  readonly apartKeys: ApartKeys[];
  /** Those that live. */
  readonly processes: ProcessFigures[];
}

/** Nothing was counted. */
export function emptyPlaneStats(): PlaneStats {
  return {
    clients: 0,
    clientsTotal: 0,
    clientsRejected: 0,
    authFailures: noAuthFailures(),
    limited: noLimitCounts(),
    handshakes: noHandshakes(),
    entering: 0,
    hits: 0,
    misses: 0,
    bytesIn: 0,
    bytesOut: 0,
    pendingCommands: 0,
    pendingBytes: 0,
    heldClients: 0,
    residentMemory: 0,
    heapUsed: 0,
    cpuSeconds: 0,
    loopLag: 0,
    replicatedKeys: 0,
    replicatedBytes: 0,
    replicatedRefused: 0,
    errorKinds: new Map(),
    commands: [],
    nodes: [],
    groups: [],
    near: { invalidations: 0, lag: emptyHistogram() },
    replicas: [],
    replicaAge: emptyHistogram(),
    crossNode: [],
    apartKeys: [],
    processes: [],
  };
}
