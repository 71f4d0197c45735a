/** The demo's traffic: clients that know what they have written, and check what they read against it. */
import { Redis } from 'ioredis';

const CLIENTS = 8;
const KEYS_PER_CLIENT = 2_000;
/** Commands that a client sends at a time. */
const BATCH = 24;

export interface TrafficCounts {
  /** Commands answered. */
  commands: number;
  errors: number;
  /** Keys that had been written and read as missing. */
  misses: number;
  /** Acknowledged writes that were not there any more: missing, or an older value. */
  lost: number;
}

export class Traffic {
  readonly counts: TrafficCounts = { commands: 0, errors: 0, misses: 0, lost: 0 };
  readonly #clients: Redis[];
  #running = true;
  #loops: Promise<void>[] = [];

  constructor(port: number) {
    this.#clients = Array.from({ length: CLIENTS }, () => {
      const client = new Redis({ port, host: '127.0.0.1' });
      client.on('error', () => {});
      return client;
    });
  }

  start(): void {
    this.#loops = this.#clients.map((client, index) => this.#loop(client, index));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    for (const client of this.#clients) client.disconnect();
  }

  /** Each client has keys of its own, so that it knows what they hold. */
  async #loop(client: Redis, index: number): Promise<void> {
    const written = new Map<string, string>();
    let version = 0;
    while (this.#running) {
      const writes = new Map<string, string>();
      const reads = new Map<string, string>();
      const pipeline = client.pipeline();
      const kinds: { key: string; write: boolean }[] = [];
      for (let i = 0; i < BATCH; i++) {
        const key = `demo:${index}:${Math.floor(Math.random() * KEYS_PER_CLIENT)}`;
        const expected = written.get(key);
        // A key is used once a batch, so that the expectation does not depend on the batch itself.
        if (writes.has(key) || reads.has(key)) continue;
        if (expected !== undefined && i % 3 !== 0) {
          reads.set(key, expected);
          pipeline.get(key);
          kinds.push({ key, write: false });
        } else {
          const value = `${index}:${++version}`;
          writes.set(key, value);
          pipeline.set(key, value);
          kinds.push({ key, write: true });
        }
      }
      const results = (await pipeline.exec()) ?? [];
      for (const [i, { key, write }] of kinds.entries()) {
        const [error, value] = results[i] ?? [new Error('no reply'), null];
        this.counts.commands++;
        if (error !== null) {
          this.counts.errors++;
          // The outcome of a write that failed is unknown: nothing is expected of the key.
          if (write) written.delete(key);
        } else if (write) {
          written.set(key, writes.get(key) ?? '');
        } else if (value === null) {
          this.counts.misses++;
          this.counts.lost++;
          written.delete(key);
        } else if (value !== reads.get(key)) {
          this.counts.lost++;
        }
      }
    }
  }
}
