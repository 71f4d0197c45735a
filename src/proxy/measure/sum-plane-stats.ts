/** Adds up what several processes, or several proxies, have counted. */
import { nodeKey } from '../../node/identity.js';
import { sumApartKeys } from './apart/apart-keys.js';
import { addAuthFailures } from './auth-failures.js';
import { FILL_OUTCOMES, noFills } from './fill-counts.js';
import { addHandshakes } from './handshake-counts.js';
import { emptyHistogram, type HistogramData } from './histogram.js';
import { addLimitCounts } from './limit-counts.js';
import {
  type CommandCounts,
  type CrossNodeCounts,
  emptyPlaneStats,
  type GroupCounts,
  type NodeCounts,
  type PlaneStats,
  type ReplicaCounts,
} from './plane-stats.js';
import { noReplicaReads, REPLICA_READ_OUTCOMES } from './replica-read-counts.js';

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
