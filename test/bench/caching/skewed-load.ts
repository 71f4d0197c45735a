/**
 * A process of its own: clients that read keys as Zipf's law has it, each of which sends its next commands when it has
 * the replies to the last ones. Which keys is drawn beforehand, and their frames lie in one buffer, so that sending a
 * pipeline is one write of a piece of it; a reply is taken by its length. So the load is none of a client library's,
 * and one core of it is enough for a proxy.
 */
import { connect, type Socket } from 'node:net';
import { Zipf } from '../../../cli/demo/caching/zipf.js';
import { request } from '../../../src/resp/encode.js';
import { skewedKey, VALUE_BYTES } from './skewed-keys.js';

export interface SkewedLoadOptions {
  readonly port: number;
  readonly clients: number;
  /** Commands in a pipeline. */
  readonly depth: number;
  readonly keys: number;
  readonly exponent: number;
  /** What the keys begin with. */
  readonly prefix: string;
  /** Of so many commands one writes; 0: none does. */
  readonly writeEvery: number;
}

/** What clients saw in a window of time. */
export interface SkewedResult {
  readonly commands: number;
  readonly seconds: number;
  /** Reads of keys that were not there. */
  readonly misses: number;
  /** Milliseconds from a pipeline to the last of its replies. */
  readonly p50: number;
  readonly p99: number;
  /** The ranks that were read most, the first one most often, with how often. */
  readonly hottest: readonly (readonly [rank: number, count: number])[];
}

const DRAWN = 1 << 20;
const HOTTEST = 20;
/** Hundredths of a millisecond, up to a second. */
const BUCKETS = 100_000;
const VALUE_REPLY = `$${VALUE_BYTES}\r\n`.length + VALUE_BYTES + 2;
/** `+OK`, and nil. */
const SHORT_REPLY = 5;
const DOLLAR = 0x24;
const MINUS = 0x2d;

/** The frames of commands that are drawn, one behind the other. */
class Frames {
  readonly bytes: Buffer;
  /** Where each begins, and one more for the end. */
  readonly starts = new Uint32Array(DRAWN + 1);
  readonly ranks = new Uint32Array(DRAWN);

  constructor({ keys, exponent, prefix, writeEvery }: SkewedLoadOptions) {
    const zipf = new Zipf(keys, exponent, Math.random);
    const value = 'x'.repeat(VALUE_BYTES);
    const frames: Buffer[] = [];
    let length = 0;
    for (let i = 0; i < DRAWN; i++) {
      const rank = zipf.draw();
      const key = skewedKey(prefix, rank);
      const frame = request(writeEvery > 0 && i % writeEvery === 0 ? ['SET', key, value] : ['GET', key]);
      this.ranks[i] = rank;
      this.starts[i] = length;
      length += frame.length;
      frames.push(frame);
    }
    this.starts[DRAWN] = length;
    this.bytes = Buffer.concat(frames);
  }
}

class Window {
  readonly started = performance.now();
  readonly counts: Uint32Array;
  readonly times = new Uint32Array(BUCKETS);
  pipelines = 0;
  commands = 0;
  misses = 0;

  constructor(keys: number) {
    this.counts = new Uint32Array(keys);
  }

  result(): SkewedResult {
    const ranks = [...this.counts.keys()].filter((rank) => (this.counts[rank] as number) > 0);
    const byCount = ranks.sort((one, other) => (this.counts[other] as number) - (this.counts[one] as number));
    return {
      commands: this.commands,
      seconds: (performance.now() - this.started) / 1000,
      misses: this.misses,
      p50: this.#quantile(0.5),
      p99: this.#quantile(0.99),
      hottest: byCount.slice(0, HOTTEST).map((rank) => [rank, this.counts[rank] as number]),
    };
  }

  #quantile(part: number): number {
    let left = Math.ceil(this.pipelines * part);
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.times[i] as number;
      if (left <= 0) return (i + 1) / 100;
    }
    return BUCKETS / 100;
  }
}

class Client {
  readonly #socket: Socket;
  readonly #frames: Frames;
  readonly #depth: number;
  #at = Math.floor(Math.random() * DRAWN);
  #sentAt = 0;
  /** Replies that are to come, and bytes of the one that has begun. */
  #replies = 0;
  #rest = 0;
  /** Of a value's reply that has begun with one byte alone: whether it is nil is not known. */
  #isUndecided = false;

  constructor({ port, depth }: SkewedLoadOptions, frames: Frames) {
    this.#frames = frames;
    this.#depth = depth;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('error', fail);
  }

  #send(): void {
    const { bytes, starts, ranks } = this.#frames;
    if (this.#at + this.#depth > DRAWN) this.#at = 0;
    const end = this.#at + this.#depth;
    for (let i = this.#at; i < end; i++) (window.counts[ranks[i] as number] as number)++;
    this.#sentAt = performance.now();
    this.#replies = this.#depth;
    this.#socket.write(bytes.subarray(starts[this.#at], starts[end]));
    this.#at = end;
  }

  #onData(chunk: Buffer): void {
    let at = 0;
    for (;;) {
      const taken = Math.min(this.#rest, chunk.length - at);
      this.#rest -= taken;
      at += taken;
      if (this.#rest > 0) return;
      if (at === chunk.length) break;
      if (this.#isUndecided) {
        this.#isUndecided = false;
        const isNil = chunk[at] === MINUS;
        if (isNil) window.misses++;
        this.#rest = (isNil ? SHORT_REPLY : VALUE_REPLY) - 1;
        continue;
      }
      const first = chunk[at];
      if (first === MINUS) fail(new Error(chunk.toString('latin1', at, at + 200)));
      this.#replies--;
      this.#isUndecided = first === DOLLAR;
      this.#rest = this.#isUndecided ? 1 : SHORT_REPLY;
    }
    if (this.#isUndecided || this.#replies > 0) return;
    const bucket = Math.min(BUCKETS - 1, Math.floor((performance.now() - this.#sentAt) * 100));
    (window.times[bucket] as number)++;
    window.pipelines++;
    window.commands += this.#depth;
    this.#send();
  }
}

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

let keys = 0;
let window = new Window(keys);

process.on(
  'message',
  (message: { readonly type: 'start'; readonly options: SkewedLoadOptions } | { readonly type: 'window' }) => {
    if (message.type === 'start') {
      keys = message.options.keys;
      window = new Window(keys);
      const frames = new Frames(message.options);
      for (let i = 0; i < message.options.clients; i++) new Client(message.options, frames);
      process.send?.('started');
      return;
    }
    process.send?.(window.result());
    window = new Window(keys);
  },
);
process.on('disconnect', () => process.exit(0));
