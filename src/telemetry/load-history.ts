/**
 * What the proxy did in each of the last seconds: rates and quantiles of response times, made of the counters, which
 * only know sums since the start. One history for everybody who looks: the page shows minutes at once when it is
 * opened, and any number of viewers cost one reading a second.
 */
import type { KeyGroupLoad, LoadView, NodeLoad } from '../admin/api.js';
import { nodeKey } from '../node/identity.js';

/** A histogram's counts by bucket, since the start. */
export interface TimeCounts {
  readonly counts: ArrayLike<number>;
}

/** What was counted since the start. */
export interface LoadTotals {
  readonly clients: number;
  readonly hits: number;
  readonly misses: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly heldClients: number;
  readonly loopLag: number;
  readonly cpuSeconds: number;
  readonly residentMemory: number;
  readonly commands: readonly { readonly calls: number; readonly errors: number; readonly time: TimeCounts }[];
  readonly nodes: readonly {
    readonly node: string;
    readonly address: string;
    readonly up: boolean;
    readonly commands: number;
    readonly errors: number;
    readonly inflight: number;
    readonly time: TimeCounts;
  }[];
  /** Of keys. */
  readonly groups: readonly GroupTotals[];
}

interface GroupTotals {
  readonly group: string;
  readonly calls: number;
  readonly hits: number;
  readonly misses: number;
}

export interface LoadHistoryOptions {
  read(): LoadTotals | Promise<LoadTotals>;
  /** Keys that were moved since the start. */
  keysMoved(): number;
  /** The upper bound of a histogram's bucket in seconds. */
  bucketUpperBound(bucket: number): number;
  /** Milliseconds, from any start. */
  now(): number;
}

/** How many seconds are kept. */
export const KEPT_SECONDS = 300;
const INTERVAL_MS = 1000;

/** The buckets that are not empty. In a second a few dozen of 200 are used. */
interface SparseCounts {
  readonly buckets: Uint16Array;
  readonly counts: Float64Array;
}

/** What was counted in one second. */
interface Slice {
  readonly at: Date;
  readonly milliseconds: number;
  readonly clients: number;
  readonly heldClients: number;
  readonly loopLag: number;
  readonly residentMemory: number;
  readonly sums: Sums;
  readonly time: SparseCounts;
  readonly nodes: readonly (Omit<LoadTotals['nodes'][number], 'time'> & { readonly time: SparseCounts })[];
  readonly groups: readonly GroupTotals[];
}

interface Sums {
  commands: number;
  errors: number;
  hits: number;
  misses: number;
  bytesIn: number;
  bytesOut: number;
  keysMoved: number;
  cpuSeconds: number;
}

/** A reading, kept until the next one to take the difference. */
interface Reading {
  readonly at: number;
  readonly sums: Sums;
  readonly time: Float64Array;
  readonly nodes: ReadonlyMap<string, { commands: number; errors: number; time: Float64Array }>;
  readonly groups: ReadonlyMap<string, GroupTotals>;
}

const NOTHING = new Float64Array(0);

export class LoadHistory {
  readonly #options: LoadHistoryOptions;
  readonly #slices: Slice[] = [];
  #last: Reading | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reading = false;

  constructor(options: LoadHistoryOptions) {
    this.#options = options;
  }

  /** Reads once a second from now on. */
  start(): void {
    // A reading that fails, since a process of several has just ended, is made up for by the next one.
    const read = (): void => void this.read().catch(() => {});
    read();
    this.#timer = setInterval(read, INTERVAL_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Takes a reading; what was counted since the one before becomes a sample. */
  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const totals = await this.#options.read();
      const before = this.#last;
      const reading = this.#take(totals);
      this.#last = reading;
      if (before === null || reading.at <= before.at) return;
      this.#slices.push(slice(totals, before, reading));
      if (this.#slices.length > KEPT_SECONDS) this.#slices.shift();
    } finally {
      this.#reading = false;
    }
  }

  /** A sample for each second that is kept, oldest first. @param since only those that ended later */
  samples(since: Date | null = null): LoadView[] {
    const from = since === null ? 0 : this.#slices.findIndex((slice) => slice.at > since);
    return from < 0 ? [] : this.#slices.slice(from).map((slice) => this.#view([slice]));
  }

  /** One sample over the last seconds, as far as they are kept; null before the first second is over. */
  over(seconds: number): LoadView | null {
    const slices = this.#slices.slice(-Math.max(1, Math.round(seconds)));
    return slices.length === 0 ? null : this.#view(slices);
  }

  #take(totals: LoadTotals): Reading {
    const { hits, misses, bytesIn, bytesOut, cpuSeconds } = totals;
    const keysMoved = this.#options.keysMoved();
    const sums = { commands: 0, errors: 0, hits, misses, bytesIn, bytesOut, keysMoved, cpuSeconds };
    let time = NOTHING;
    for (const row of totals.commands) {
      sums.commands += row.calls;
      sums.errors += row.errors;
      if (time === NOTHING) time = new Float64Array(row.time.counts.length);
      for (let i = 0; i < time.length; i++) (time[i] as number) += row.time.counts[i] ?? 0;
    }
    const nodes = new Map(
      totals.nodes.map((node) => [
        identityOf(node),
        { commands: node.commands, errors: node.errors, time: Float64Array.from(node.time.counts) },
      ]),
    );
    const groups = new Map(totals.groups.map((counts) => [counts.group, counts]));
    return { at: this.#options.now(), sums, time, nodes, groups };
  }

  #view(slices: readonly Slice[]): LoadView {
    const last = slices[slices.length - 1] as Slice;
    const seconds = slices.reduce((sum, slice) => sum + slice.milliseconds, 0) / 1000;
    const rate = (field: keyof Sums): number => slices.reduce((sum, slice) => sum + slice.sums[field], 0) / seconds;
    const times = slices.map((slice) => slice.time);
    return {
      at: last.at.toISOString(),
      seconds,
      clients: last.clients,
      heldClients: last.heldClients,
      eventLoopLagSeconds: Math.max(...slices.map((slice) => slice.loopLag)),
      commandsPerSecond: rate('commands'),
      errorsPerSecond: rate('errors'),
      hitsPerSecond: rate('hits'),
      missesPerSecond: rate('misses'),
      bytesInPerSecond: rate('bytesIn'),
      bytesOutPerSecond: rate('bytesOut'),
      keysMovedPerSecond: rate('keysMoved'),
      cores: rate('cpuSeconds'),
      residentMemory: last.residentMemory,
      p50: this.#quantile(times, 0.5),
      p99: this.#quantile(times, 0.99),
      nodes: last.nodes.map((node): NodeLoad => {
        const rows = slices.flatMap((slice) => slice.nodes.filter((row) => identityOf(row) === identityOf(node)));
        const nodeTimes = rows.map((row) => row.time);
        return {
          node: node.node,
          address: node.address,
          up: node.up,
          inflight: node.inflight,
          commandsPerSecond: rows.reduce((sum, row) => sum + row.commands, 0) / seconds,
          errorsPerSecond: rows.reduce((sum, row) => sum + row.errors, 0) / seconds,
          p50: this.#quantile(nodeTimes, 0.5),
          p99: this.#quantile(nodeTimes, 0.99),
        };
      }),
      keyGroups: last.groups.map(({ group }): KeyGroupLoad => {
        const rows = slices.flatMap((slice) => slice.groups.filter((row) => row.group === group));
        const perSecond = (field: 'calls' | 'hits' | 'misses'): number =>
          rows.reduce((sum, row) => sum + row[field], 0) / seconds;
        return {
          group,
          commandsPerSecond: perSecond('calls'),
          hitsPerSecond: perSecond('hits'),
          missesPerSecond: perSecond('misses'),
        };
      }),
    };
  }

  /** @returns seconds, or null when nothing was recorded */
  #quantile(times: readonly SparseCounts[], quantile: number): number | null {
    const sums = new Map<number, number>();
    let total = 0;
    for (const { buckets, counts } of times) {
      for (let i = 0; i < buckets.length; i++) {
        const bucket = buckets[i] as number;
        const count = counts[i] as number;
        sums.set(bucket, (sums.get(bucket) ?? 0) + count);
        total += count;
      }
    }
    let left = Math.max(1, Math.ceil(quantile * total));
    for (const [bucket, count] of [...sums].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return this.#options.bucketUpperBound(bucket);
    }
    return null;
  }
}

function slice(totals: LoadTotals, before: Reading, now: Reading): Slice {
  const sums = { ...now.sums };
  for (const field of Object.keys(sums) as (keyof Sums)[]) sums[field] = since(now.sums[field], before.sums[field]);
  return {
    at: new Date(),
    milliseconds: now.at - before.at,
    clients: totals.clients,
    heldClients: totals.heldClients,
    loopLag: totals.loopLag,
    residentMemory: totals.residentMemory,
    sums,
    time: difference(before.time, now.time),
    nodes: totals.nodes.map((node) => {
      const identity = identityOf(node);
      const was = before.nodes.get(identity);
      return {
        node: node.node,
        address: node.address,
        up: node.up,
        inflight: node.inflight,
        commands: since(node.commands, was?.commands ?? 0),
        errors: since(node.errors, was?.errors ?? 0),
        time: difference(was?.time ?? NOTHING, now.nodes.get(identity)?.time ?? NOTHING),
      };
    }),
    groups: totals.groups.map(({ group, calls, hits, misses }) => {
      const was = before.groups.get(group);
      // What a group that has come back had counted before it went is none of this second's.
      if (was === undefined) return { group, calls: 0, hits: 0, misses: 0 };
      return {
        group,
        calls: since(calls, was.calls),
        hits: since(hits, was.hits),
        misses: since(misses, was.misses),
      };
    }),
  };
}

/** A counter begins anew where a process of several was replaced: that is no negative rate. */
function since(now: number, before: number): number {
  return Math.max(0, now - before);
}

function difference(before: Float64Array, now: Float64Array): SparseCounts {
  const buckets: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < now.length; i++) {
    const count = since(now[i] as number, before[i] ?? 0);
    if (count === 0) continue;
    buckets.push(i);
    counts.push(count);
  }
  return { buckets: Uint16Array.from(buckets), counts: Float64Array.from(counts) };
}

/** A node that comes back under its name at another address begins anew. */
function identityOf({ node, address }: { readonly node: string; readonly address: string }): string {
  return nodeKey({ name: node, address });
}
