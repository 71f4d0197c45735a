/** In the primary: what all workers counted, those that died included, as one proxy's. */
import { OTHER_GROUP } from '../../../proxy/measure/key-groups.js';
import type { GroupCounts, PlaneStats } from '../../../proxy/measure/plane-stats.js';
import { readProcess } from '../../../proxy/measure/read-plane-stats.js';
import { sumPlaneStats } from '../../../proxy/measure/sum-plane-stats.js';
import type { TurnedAway } from './client-placement.js';

/** Of a worker that does not say what it counted in this time there are the figures that it gave before. */
const TIMEOUT_MS = 1000;

type Named = Pick<GroupCounts, 'group'>;

/** A worker, as it is asked what it counted. */
export interface Counting {
  readonly slot: number;
  readonly ended: boolean;
  /** As it said last. */
  readonly lastStats: PlaneStats | null;
  /** @param timeout milliseconds */
  stats(timeout: number): Promise<PlaneStats | null>;
}

export class PoolStats {
  readonly #workers: Iterable<Counting>;
  /** What workers that died had counted: one sum, or nothing yet. */
  #past: PlaneStats[] = [];

  /** @param workers those that live */
  constructor(workers: Iterable<Counting>) {
    this.#workers = workers;
  }

  /**
   * @param loopLag seconds, of this process @param turnedAway clients that this process turned away
   * @param groups those that there are: a worker that died may have counted others
   */
  async read(loopLag: number, turnedAway: () => TurnedAway, groups: readonly Named[]): Promise<PlaneStats> {
    const workers = [...this.#workers];
    await Promise.all(workers.map((worker) => worker.stats(TIMEOUT_MS)));
    const parts = workers.flatMap((worker) => {
      // Of one that did not answer in time there is what it said before: a counter must not fall and rise again. What
      // one had counted that has died meanwhile is among the past already.
      const stats = worker.ended ? null : worker.lastStats;
      return stats === null ? [] : [inSlot(stats, worker.slot)];
    });
    const sum = sumPlaneStats([...parts, ...this.#past]);
    const primary = readProcess('primary', 0, loopLag);
    sum.residentMemory += primary.residentMemory;
    sum.heapUsed += primary.heapUsed;
    sum.cpuSeconds += primary.cpuSeconds;
    sum.processes.push(primary);
    const { clients, ofAddress } = turnedAway();
    sum.clientsRejected += clients;
    sum.limited.address.connections += ofAddress;
    keepGroups(sum.groups, groups);
    return sum;
  }

  /** The worker has died: what it had counted stays. */
  onExit({ lastStats }: Counting): void {
    if (lastStats !== null) this.#past = [sumPlaneStats([...this.#past, countersOf(lastStats)])];
  }
}

/** Leaves those out that are gone, and puts the others in their order; what is counted of no group comes last. */
function keepGroups(counted: GroupCounts[], groups: readonly Named[]): void {
  const orders = new Map(groups.map(({ group }, order) => [group, order]));
  if (groups.length > 0) orders.set(OTHER_GROUP, groups.length);
  const kept = counted.filter(({ group }) => orders.has(group));
  kept.sort((one, other) => (orders.get(one.group) ?? 0) - (orders.get(other.group) ?? 0));
  counted.splice(0, counted.length, ...kept);
}

/** As figures of the worker in this slot. */
function inSlot(stats: PlaneStats, slot: number): PlaneStats {
  return { ...stats, processes: stats.processes.map((figures) => ({ ...figures, worker: String(slot) })) };
}

/** Without what is only true while the worker lives. */
function countersOf(stats: PlaneStats): PlaneStats {
  return {
    ...stats,
    clients: 0,
    entering: 0,
    pendingCommands: 0,
    pendingBytes: 0,
    heldClients: 0,
    replicatedKeys: 0,
    replicatedBytes: 0,
    groups: stats.groups.map((group) => ({
      ...group,
      ...{ nearEntries: 0, nearBytes: 0, replicatedKeys: 0, replicatedBytes: 0 },
    })),
    residentMemory: 0,
    heapUsed: 0,
    loopLag: 0,
    processes: [],
    nodes: stats.nodes.map((node) => ({ ...node, up: true, inflight: 0, connections: 0 })),
  };
}
