/**
 * A process of its own: 50 ioredis clients, as an application has them, each of which sends its next command when
 * it has the reply to the last one. Told `window` by its parent, it says what it measured since the last time.
 */
import { Redis } from 'ioredis';
import { benchmarkKey } from './redis-benchmark.js';

/** What clients saw in a window of time. */
export interface WindowResult {
  readonly commands: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** GETs of keys that are there and came back empty. */
  readonly misses: number;
  readonly errors: number;
}

/** Hundredths of a millisecond, up to 1 s. */
const BUCKETS = 100_000;

interface Options {
  readonly port: number;
  readonly clients: number;
  readonly keys: number;
  /** Percent of the commands that write. */
  readonly writes: number;
  readonly value: string;
}

class Window {
  readonly counts = new Uint32Array(BUCKETS);
  readonly started = performance.now();
  commands = 0;
  misses = 0;
  errors = 0;
  max = 0;

  record(milliseconds: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.floor(milliseconds * 100));
    (this.counts[bucket] as number)++;
    this.commands++;
    if (milliseconds > this.max) this.max = milliseconds;
  }

  result(): WindowResult {
    return {
      commands: this.commands,
      seconds: (performance.now() - this.started) / 1000,
      p50: this.#quantile(0.5),
      p99: this.#quantile(0.99),
      max: this.max,
      misses: this.misses,
      errors: this.errors,
    };
  }

  #quantile(part: number): number {
    let left = Math.ceil(this.commands * part);
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.counts[i] as number;
      if (left <= 0) return (i + 1) / 100;
    }
    return BUCKETS / 100;
  }
}

let window = new Window();

async function run(options: Options): Promise<void> {
  const redis = new Redis({ port: options.port, host: '127.0.0.1' });
  for (;;) {
    const key = benchmarkKey(Math.floor(Math.random() * options.keys));
    const start = performance.now();
    try {
      if (Math.random() * 100 < options.writes) await redis.set(key, options.value);
      else if ((await redis.get(key)) === null) window.misses++;
    } catch {
      window.errors++;
    }
    window.record(performance.now() - start);
  }
}

process.on(
  'message',
  (message: { readonly type: 'start'; readonly options: Options } | { readonly type: 'window' }) => {
    if (message.type === 'start') {
      for (let i = 0; i < message.options.clients; i++) void run(message.options);
      return;
    }
    process.send?.(window.result());
    window = new Window();
  },
);
process.on('disconnect', () => process.exit(0));
