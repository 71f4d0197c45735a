/** What a data plane counted, as plain data: it may come from several processes, and is added up then. */

import type { CommandTable } from '../../commands/table.js';
import { nodeKey } from '../../node/identity.js';
import { type ApartKeys, sumApartKeys } from './apart/apart-keys.js';
import { type AuthFailureCounts, addAuthFailures, noAuthFailures } from './auth-failures.js';
import type { Counters, NodeCounters } from './counters.js';
import type { CrossNodeWay } from './cross-node-counters.js';
import { FILL_OUTCOMES, type FillCounts, noFills } from './fill-counts.js';
import { addHandshakes, type HandshakeCounts, noHandshakes } from './handshake-counts.js';
import { emptyHistogram, type HistogramData } from './histogram.js';
import { type AllLimitCounts, addLimitCounts, noLimitCounts } from './limit-counts.js';
import { noReplicaReads, REPLICA_READ_OUTCOMES, type ReplicaReadCounts } from './replica-read-counts.js';

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

/** A data plane, as far as its figures are concerned. */
export interface MeasuredPlane {
  readonly counters: Counters;
  readonly values: {
    readonly size: number;
    readonly bytes: number;
    readonly refused: number;
    sizesOf(group: number): { readonly keys: number; readonly bytes: number };
  };
  readonly table: CommandTable;
  /** Clients whose next command waits for the ring. */
  readonly heldClients: number;
  /** Clients whose handshake is under way. */
  readonly entering: number;
  /** The replicas of nodes that may be read from. */
  replicas(): ReplicaCounts[];
  /** What is kept near, by groups' numbers. */
  readonly near: {
    entriesOf(group: number): number;
    bytesOf(group: number): number;
  };
  readonly clients: ReadonlySet<{
    readonly pending: number;
    readonly queryBytes: number;
    readonly outlet: { readonly pending: number };
  }>;
  readonly nodes: Iterable<{
    readonly name: string;
    readonly address: string;
    readonly isReachable: boolean;
    /** Commands that wait for the node's reply. */
    readonly inflight: number;
    readonly connections: number;
    readonly counters: NodeCounters;
  }>;
}

/** Reads the counters of this process' data plane. @param loopLag seconds */
export function readPlaneStats(plane: MeasuredPlane, loopLag: number): PlaneStats {
  const { counters } = plane;
  const own = readProcess('1', plane.clients.size, loopLag);
  let pendingCommands = 0;
  let pendingBytes = 0;
  for (const client of plane.clients) {
    pendingCommands += client.pending;
    pendingBytes += client.outlet.pending;
  }
  const commands: CommandCounts[] = [];
  const count = (id: number, command: string): void => {
    const time = counters.time[id]?.read();
    if (time === undefined) return;
    commands.push({ command, calls: time.count, errors: counters.errors[id] ?? 0, time });
  };
  count(0, 'unknown');
  for (const row of plane.table.rows()) count(row.id, row.name);
  return {
    clients: plane.clients.size,
    clientsTotal: counters.clientsTotal,
    clientsRejected: counters.clientsRejected,
    authFailures: { ...counters.authFailures },
    limited: { address: { ...counters.limited.address }, user: { ...counters.limited.user } },
    handshakes: { ...counters.handshakes },
    entering: plane.entering,
    hits: counters.hits,
    misses: counters.misses,
    bytesIn: counters.bytesIn,
    bytesOut: counters.bytesOut,
    pendingCommands,
    pendingBytes,
    heldClients: plane.heldClients,
    residentMemory: own.residentMemory,
    heapUsed: own.heapUsed,
    cpuSeconds: own.cpuSeconds,
    loopLag,
    errorKinds: new Map(counters.errorKinds.entries()),
    commands,
    nodes: [...plane.nodes].map((node) => ({
      node: node.name,
      address: node.address,
      up: node.isReachable,
      commands: node.counters.commands,
      errors: node.counters.errors,
      timeouts: node.counters.timeouts,
      reconnects: node.counters.reconnects,
      inflight: node.inflight,
      connections: node.connections,
      bytesIn: node.counters.bytesIn,
      bytesOut: node.counters.bytesOut,
      time: node.counters.time.read(),
    })),
    replicatedKeys: plane.values.size,
    replicatedBytes: plane.values.bytes,
    replicatedRefused: plane.values.refused,
    groups: counters.groups.counters.map((counts) => {
      const { group, number, errors, hits, misses, nearHits, nearMisses } = counts;
      const outcomes = { fills: { ...counts.fills }, replicaReads: { ...counts.replicaReads } };
      const time = counts.time.read();
      const kept = { nearEntries: plane.near.entriesOf(number), nearBytes: plane.near.bytesOf(number) };
      const near = { nearHits, nearMisses, ...kept };
      const { keys, bytes } = plane.values.sizesOf(number);
      const replicated = { replicatedKeys: keys, replicatedBytes: bytes };
      return { group, calls: time.count, errors, hits, misses, ...near, ...replicated, ...outcomes, time };
    }),
    near: { invalidations: counters.near.invalidations, lag: counters.near.lag.read() },
    replicas: plane.replicas(),
    replicaAge: counters.replicaAge.read(),
    crossNode: [...counters.crossNode.entries()].map(({ command, way, time }) => ({ command, way, time: time.read() })),
    apartKeys: counters.apartKeys.rows(),
    processes: [own],
  };
}

/** What this process uses. @param loopLag seconds */
export function readProcess(worker: string, clients: number, loopLag: number): ProcessFigures {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  return {
    worker,
    clients,
    residentMemory: memory.rss,
    heapUsed: memory.heapUsed,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    loopLag,
  };
}

/** Adds up what several processes counted. */
export function sumPlaneStats(parts: readonly PlaneStats[]): PlaneStats {
  const sum = emptyPlaneStats();
  const commands = new Map<string, CommandCounts>();
  const nodes = new Map<string, NodeCounts>();
  const groups = new Map<string, GroupCounts>();
  const crossNode = new Map<string, CrossNodeCounts>();
  const replicas = new Map<string, ReplicaCounts>();
  for (const part of parts) {
    sum.clients += part.clients;
    sum.clientsTotal += part.clientsTotal;
    sum.clientsRejected += part.clientsRejected;
    addAuthFailures(sum.authFailures, part.authFailures);
    addLimitCounts(sum.limited, part.limited);
    addHandshakes(sum.handshakes, part.handshakes);
    sum.entering += part.entering;
    sum.hits += part.hits;
    sum.misses += part.misses;
    sum.bytesIn += part.bytesIn;
    sum.bytesOut += part.bytesOut;
    sum.pendingCommands += part.pendingCommands;
    sum.pendingBytes += part.pendingBytes;
    sum.heldClients += part.heldClients;
    sum.residentMemory += part.residentMemory;
    sum.heapUsed += part.heapUsed;
    sum.cpuSeconds += part.cpuSeconds;
    // Each process has the same.
    sum.replicatedKeys = Math.max(sum.replicatedKeys, part.replicatedKeys);
    sum.replicatedBytes = Math.max(sum.replicatedBytes, part.replicatedBytes);
    sum.replicatedRefused += part.replicatedRefused;
    for (const [kind, count] of part.errorKinds) sum.errorKinds.set(kind, (sum.errorKinds.get(kind) ?? 0) + count);
    sum.loopLag = Math.max(sum.loopLag, part.loopLag);
    for (const row of part.commands) addCommand(commands, row);
    for (const row of part.nodes) addNode(nodes, row);
    for (const row of part.groups) addGroup(groups, row);
    sum.near.invalidations += part.near.invalidations;
    addTimes(sum.near.lag, part.near.lag);
    for (const row of part.replicas) addReplicas(replicas, row);
    addTimes(sum.replicaAge, part.replicaAge);
    for (const row of part.crossNode) addCrossNode(crossNode, row);
    sum.processes.push(...part.processes);
  }
  sum.commands.push(...commands.values());
  sum.nodes.push(...nodes.values());
  sum.groups.push(...groups.values());
  sum.replicas.push(...replicas.values());
  sum.crossNode.push(...crossNode.values());
  sum.apartKeys.push(...sumApartKeys(parts.map(({ apartKeys }) => apartKeys)));
  return sum;
}

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

function addCommand(sums: Map<string, CommandCounts>, row: CommandCounts): void {
  let sum = sums.get(row.command);
  if (sum === undefined) {
    sum = { command: row.command, calls: 0, errors: 0, time: emptyHistogram() };
    sums.set(row.command, sum);
  }
  sum.calls += row.calls;
  sum.errors += row.errors;
  addTimes(sum.time, row.time);
}

function addNode(sums: Map<string, NodeCounts>, row: NodeCounts): void {
  const key = nodeKey({ name: row.node, address: row.address });
  const sum = sums.get(key);
  if (sum === undefined) {
    const time = emptyHistogram();
    addTimes(time, row.time);
    sums.set(key, { ...row, time });
    return;
  }
  sum.up = sum.up && row.up;
  sum.commands += row.commands;
  sum.errors += row.errors;
  sum.timeouts += row.timeouts;
  sum.reconnects += row.reconnects;
  sum.inflight += row.inflight;
  sum.connections += row.connections;
  sum.bytesIn += row.bytesIn;
  sum.bytesOut += row.bytesOut;
  addTimes(sum.time, row.time);
}

function addGroup(sums: Map<string, GroupCounts>, row: GroupCounts): void {
  let sum = sums.get(row.group);
  if (sum === undefined) {
    const nothing = {
      calls: 0,
      errors: 0,
      hits: 0,
      misses: 0,
      nearHits: 0,
      nearMisses: 0,
      nearEntries: 0,
      nearBytes: 0,
      replicatedKeys: 0,
      replicatedBytes: 0,
    };
    sum = { group: row.group, ...nothing, fills: noFills(), replicaReads: noReplicaReads(), time: emptyHistogram() };
    sums.set(row.group, sum);
  }
  addGroupCounts(sum, row);
  addTimes(sum.time, row.time);
}

/** Adds what several counted of a group. Of what is replicated each has the same. */
export function addGroupCounts(sum: Omit<GroupCounts, 'time'>, row: Omit<GroupCounts, 'time'>): void {
  sum.nearHits += row.nearHits;
  sum.nearMisses += row.nearMisses;
  sum.nearEntries += row.nearEntries;
  sum.nearBytes += row.nearBytes;
  sum.calls += row.calls;
  sum.errors += row.errors;
  sum.hits += row.hits;
  sum.misses += row.misses;
  sum.replicatedKeys = Math.max(sum.replicatedKeys, row.replicatedKeys);
  sum.replicatedBytes = Math.max(sum.replicatedBytes, row.replicatedBytes);
  for (const outcome of FILL_OUTCOMES) sum.fills[outcome] += row.fills[outcome];
  for (const outcome of REPLICA_READ_OUTCOMES) sum.replicaReads[outcome] += row.replicaReads[outcome];
}

function addCrossNode(sums: Map<string, CrossNodeCounts>, row: CrossNodeCounts): void {
  const key = `${row.way} ${row.command}`;
  let sum = sums.get(key);
  if (sum === undefined) {
    sum = { command: row.command, way: row.way, time: emptyHistogram() };
    sums.set(key, sum);
  }
  addTimes(sum.time, row.time);
}

function addReplicas(sums: Map<string, ReplicaCounts>, row: ReplicaCounts): void {
  const key = nodeKey({ name: row.node, address: row.address });
  const sum = sums.get(key);
  if (sum === undefined) sums.set(key, { ...row });
  else {
    sum.known = Math.min(sum.known, row.known);
    sum.proven = Math.min(sum.proven, row.proven);
  }
}

function addTimes(sum: HistogramData, part: HistogramData): void {
  for (let i = 0; i < sum.counts.length; i++) (sum.counts[i] as number) += part.counts[i] ?? 0;
  sum.sum += part.sum;
  sum.count += part.count;
}
