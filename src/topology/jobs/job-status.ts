/** How far the moves of a change are, at all proxies, and what keeps them from going on. */
import type { SourceProgress } from '../../rebalance/mover.js';
import { Stopwatch } from '../../time/stopwatch.js';
import type { RunningChange } from '../state/ring-state.js';
import type { SourceRecords } from './source-records.js';
import { steeringOf } from './steering.js';

/** How far a job is. */
export interface MoveStatus {
  readonly paused: boolean;
  readonly sources: readonly (SourceProgress & { readonly owner: string })[];
  readonly bytesMoved: number;
  /** At most; 0: no limit. */
  readonly keysPerSecond: number;
  readonly keysDropped: number;
  /** Of the nodes that lose keys, when the job began. */
  readonly keysEstimated: number;
  /** Why it cannot go on, or null. */
  readonly error: string | null;
  /** For how long keys have moved here, without the time in which it was paused. */
  readonly seconds: number;
}

export interface JobStatusPorts {
  /** As it stands in the record. */
  change(): RunningChange;
  /** Of each source, in one order. */
  readonly records: Pick<SourceRecords, 'all' | 'sum' | 'claimOf'>;
  /** Whether the source at this place of the order has no moved key left, as this proxy knows. */
  isSwept(place: number): boolean;
  readonly keysEstimated: number;
}

export class JobStatus implements MoveStatus {
  readonly #ports: JobStatusPorts;
  /** What keeps sources waiting, by source. */
  readonly #waits = new Map<number, string>();
  readonly #stopwatch: Stopwatch;
  /** Why the change cannot go on, where it is not a mover that says so; or null. */
  failure: string | null = null;

  constructor(ports: JobStatusPorts, stopwatch = new Stopwatch()) {
    this.#ports = ports;
    this.#stopwatch = stopwatch;
  }

  get paused(): boolean {
    const { change, records } = this.#ports;
    return steeringOf(change()).paused || records.all.some(({ paused, swept }) => paused && !swept);
  }

  get sources(): MoveStatus['sources'] {
    const { records, isSwept } = this.#ports;
    return records.all.map(({ source, swept, keysMoved, keysScanned, largeKey }, place) => {
      const owner = records.claimOf(source)?.holder ?? '';
      return { node: source, done: swept || isSwept(place), keysMoved, keysScanned, largeKey, owner };
    });
  }

  get keysMoved(): number {
    return this.#ports.records.sum(({ keysMoved }) => keysMoved);
  }

  get bytesMoved(): number {
    return this.#ports.records.sum(({ bytesMoved }) => bytesMoved);
  }

  get keysPerSecond(): number {
    return steeringOf(this.#ports.change()).keysPerSecond;
  }

  /** In all turns of the change. */
  get keysDropped(): number {
    return this.#ports.records.sum(({ keysDropped }) => keysDropped) + (this.#ports.change().keysDropped ?? 0);
  }

  get keysEstimated(): number {
    return this.#ports.keysEstimated;
  }

  get error(): string | null {
    const [waits] = this.#waits.values();
    const failed = this.#ports.records.all.find(({ error, swept }) => error !== null && !swept);
    return this.failure ?? waits ?? failed?.error ?? null;
  }

  get seconds(): number {
    return this.#stopwatch.seconds;
  }

  /** What keeps a source waiting; null: nothing any more. */
  waitsFor(source: number, failure: string | null): void {
    if (failure === null) this.#waits.delete(source);
    else this.#waits.set(source, failure);
  }

  /** It may be paused by now, or may have been resumed: its time counts accordingly. */
  countTime(): void {
    this.#stopwatch.run(!this.paused);
  }
}
