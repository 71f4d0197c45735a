/**
 * In the primary: the values that every process of every proxy has. What one worker tells goes on to the others from here,
 * and to other proxies; one that starts is given all of it before its first client.
 */
import { randomBytes } from 'node:crypto';
import { Link } from '../../../fleet/values/link.js';
import { ValueStore } from '../../../fleet/values/store.js';
import { batchesOf } from '../../../fleet/values/whole-store.js';
import type { Timers } from '../../../time/timers.js';
import type { FromWorker, ToWorker, WorkerOptions } from '../messages.js';
import { VALUES_LATER_MS } from '../messages.js';

/** A worker, as it is told of values. */
export interface HasValues {
  send(message: ToWorker): void;
}

const TICK_MS = 100;
/** Of a batch for a worker that starts. */
const BATCH_BYTES = 262_144;
const NAME_BYTES = 9;

export class SharedValues {
  readonly store: ValueStore;
  readonly #timers: Timers;
  readonly #links = new Map<HasValues, Link>();
  readonly #stop: () => void;

  constructor({ databases, replicatedMemory }: WorkerOptions, timers: Timers) {
    this.#timers = timers;
    this.store = new ValueStore({
      databases,
      limit: replicatedMemory,
      actor: randomBytes(NAME_BYTES).toString('base64url'),
      wallNow: Date.now,
    });
    this.#stop = timers.every(TICK_MS, () => this.store.tick());
  }

  /** This worker was told to start, and nothing else yet. */
  join(worker: HasValues): void {
    const link = new Link({
      store: this.store,
      send: (batch) => worker.send({ type: 'values', ...batch }),
      taken: (number) => worker.send({ type: 'values-taken', number }),
      restamp: (how) => worker.send({ type: 'values-restamped', ...how }),
      later: (run) => this.#timers.after(VALUES_LATER_MS, run),
    });
    this.#links.set(worker, link);
    for (const bytes of batchesOf(this.store, BATCH_BYTES)) worker.send({ type: 'values', number: 0, bytes });
  }

  onValues(worker: HasValues, message: FromWorker<'values'>): void {
    this.#links.get(worker)?.onBatch(message);
  }

  onTaken(worker: HasValues, { number }: FromWorker<'values-taken'>): void {
    this.#links.get(worker)?.onTaken(number);
  }

  onRestamped(worker: HasValues, message: FromWorker<'values-restamped'>): void {
    this.#links.get(worker)?.onRestamp(message);
  }

  /** The worker has ended. */
  leave(worker: HasValues): void {
    this.#links.get(worker)?.close();
    this.#links.delete(worker);
  }

  close(): void {
    this.#stop();
    for (const worker of [...this.#links.keys()]) this.leave(worker);
  }
}
