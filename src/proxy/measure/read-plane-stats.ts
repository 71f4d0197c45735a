/** Reads what the data plane of this process has counted, and what the process itself uses. */
import { UNKNOWN_COMMAND_ID } from '../../commands/build.js';
import type { CommandTable } from '../../commands/table.js';
import type { Counters, NodeCounters } from './counters.js';
import type { CommandCounts, PlaneStats, ProcessFigures, ReplicaCounts } from './plane-stats.js';

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
  count(UNKNOWN_COMMAND_ID, 'unknown');
  for (const row of plane.table.rows()) if (row.id !== UNKNOWN_COMMAND_ID) count(row.id, row.name);
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
