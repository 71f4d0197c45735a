/** The demo's traffic: clients that know what they have written, and check what they read against it. */
import { Redis } from 'ioredis';

const CLIENTS = 8;
const KEYS_PER_CLIENT = 2_000;
const COUNTERS_PER_CLIENT = 200;
/** Keys that a client uses at a time. */
const BATCH = 24;
const KEYS_PER_MGET = 5;
/** Whose connection was cut comes back so much later: what it had sent may still be on its way. */
const RECONNECT_MS = 250;

export interface TrafficCounts {
  /** Commands answered. */
  commands: number;
  /** Commands that were answered with an error, but for those of `again`. */
  errors: number;
  /** Commands that were answered TRYAGAIN: they were not carried out. */
  again: number;
  /** Commands whose connection was lost before they were answered: nobody knows whether they ran. */
  cut: number;
  /** Keys that had been written and read as missing. */
  misses: number;
  /** Acknowledged writes that were not there any more: missing, or an older value. */
  lost: number;
}

/** What a client's keys must hold. */
interface Model {
  readonly values: Map<string, string>;
  readonly counters: Map<string, number>;
  version: number;
}

export class Traffic {
  readonly counts: TrafficCounts = { commands: 0, errors: 0, again: 0, cut: 0, misses: 0, lost: 0 };
  /** What a command was answered with last that failed; empty: none has. */
  lastError = '';
  #ports: readonly number[];
  /** Commands answered, by the proxy's port. */
  readonly #byPort = new Map<number, number>();
  #running = true;
  #loops: Promise<void>[] = [];

  /** @param ports of the proxies that clients may use, as a balancer would say: not none */
  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** Commands that a proxy has answered. */
  commandsOf(port: number): number {
    return this.#byPort.get(port) ?? 0;
  }

  /** From now on clients use these proxies; those that are at another one come with their next commands. */
  use(ports: readonly number[]): void {
    this.#ports = ports;
  }

  start(): void {
    this.#loops = Array.from({ length: CLIENTS }, (_, index) => this.#loop(index));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  /** Each client has keys of its own, so that it knows what they hold. */
  async #loop(index: number): Promise<void> {
    const model: Model = { values: new Map(), counters: new Map(), version: 0 };
    let place = index;
    while (this.#running) {
      const ports = this.#ports;
      const port = ports[place % ports.length] ?? 0;
      const client = connect(port);
      const isCurrent = (): boolean => this.#running && this.#ports === ports;
      while (isCurrent() && client.status !== 'end') await this.#batch(client, port, index, model);
      client.disconnect();
      if (!isCurrent()) continue;
      place++;
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }

  async #batch(client: Redis, port: number, index: number, model: Model): Promise<void> {
    const pipeline = client.pipeline();
    const checks: ((error: Error | null, reply: unknown) => void)[] = [];
    // A key is used once a batch, so that the expectation does not depend on the batch itself.
    const used = new Set<string>();
    const several: string[] = [];
    for (let i = 0; i < BATCH; i++) {
      const key = `demo:${index}:${Math.floor(Math.random() * KEYS_PER_CLIENT)}`;
      if (used.has(key)) continue;
      used.add(key);
      if (!model.values.has(key) || i % 3 === 0) {
        const value = `${index}:${++model.version}`;
        pipeline.set(key, value);
        checks.push((error) => this.#written(model, key, value, error));
      } else if (several.length < KEYS_PER_MGET) {
        several.push(key);
      } else {
        pipeline.get(key);
        checks.push((error, reply) => this.#read(model, key, error, reply));
      }
    }
    if (several.length > 0) {
      pipeline.mget(several);
      checks.push((error, reply) => {
        const replies: readonly unknown[] = Array.isArray(reply) ? reply : [];
        for (const [i, key] of several.entries()) this.#read(model, key, error, replies[i] ?? null);
      });
    }
    const counter = `demo:${index}:count:${Math.floor(Math.random() * COUNTERS_PER_CLIENT)}`;
    pipeline.incr(counter);
    checks.push((error, reply) => this.#counted(model, counter, error, reply));
    const results = (await pipeline.exec()) ?? [];
    for (const [i, check] of checks.entries()) {
      const [error, reply] = results[i] ?? [new Error('no reply'), null];
      if (error === null || error.name === 'ReplyError') {
        this.counts.commands++;
        this.#byPort.set(port, this.commandsOf(port) + 1);
      }
      if (error !== null) this.#failed(error);
      check(error, reply);
    }
  }

  #failed(error: Error): void {
    if (error.name !== 'ReplyError') {
      this.counts.cut++;
      return;
    }
    const [code] = error.message.split(' ', 1);
    this.counts[code === 'TRYAGAIN' ? 'again' : 'errors']++;
    this.lastError = error.message;
  }

  /** The outcome of a write that failed is unknown: nothing is expected of the key then. */
  #written(model: Model, key: string, value: string, error: Error | null): void {
    if (error === null) model.values.set(key, value);
    else model.values.delete(key);
  }

  #read(model: Model, key: string, error: Error | null, value: unknown): void {
    if (error !== null) return;
    if (value === null) {
      this.counts.misses++;
      this.counts.lost++;
      model.values.delete(key);
    } else if (value !== model.values.get(key)) {
      this.counts.lost++;
    }
  }

  /** A counter that falls behind what it was acknowledged to be has lost a write. */
  #counted(model: Model, key: string, error: Error | null, count: unknown): void {
    if (error !== null) {
      model.counters.delete(key);
      return;
    }
    const before = model.counters.get(key);
    if (before !== undefined && Number(count) <= before) this.counts.lost++;
    model.counters.set(key, Number(count));
  }
}

/** A client that sends nothing twice, and does not come back by itself. */
function connect(port: number): Redis {
  const client = new Redis({
    ...{ port, host: '127.0.0.1' },
    ...{ retryStrategy: () => null, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
  });
  client.on('error', () => {});
  return client;
}
