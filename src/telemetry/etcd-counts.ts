/** Counts what is asked of etcd, as it is told. */
import { Histogram } from '../proxy/measure/histogram.js';
import type { EtcdFigures } from './fleet-figures.js';
import { onEvents } from './subscribers.js';

/** One request, as far as it is counted. */
export interface CountedRequest {
  readonly operation: string;
  readonly outcome: string;
  readonly seconds: number;
}

const CHANNEL = 'ringproxy:etcd:request';

export class EtcdCounts {
  readonly #counts = new Map<string, { readonly operation: string; readonly outcome: string; count: number }>();
  readonly #time = new Histogram();

  /** Counts from now on. @returns what ends it */
  listen(): () => void {
    return onEvents(
      (_channel, event) => {
        const { operation, outcome, seconds }: Partial<Record<keyof CountedRequest, unknown>> = event;
        this.note({ operation: String(operation), outcome: String(outcome), seconds: Number(seconds) });
      },
      [CHANNEL],
    );
  }

  note({ operation, outcome, seconds }: CountedRequest): void {
    const key = `${operation} ${outcome}`;
    const row = this.#counts.get(key) ?? { operation, outcome, count: 0 };
    row.count++;
    this.#counts.set(key, row);
    // A watch is answered for as long as it is open.
    if (operation !== 'watch') this.#time.record(seconds * 1000);
  }

  read(): Omit<EtcdFigures, 'isReachable'> {
    return { requests: [...this.#counts.values()], time: this.#time.read() };
  }
}
