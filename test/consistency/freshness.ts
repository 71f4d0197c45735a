/**
 * Clients that count: each key has one writer, whose values rise, and readers at every proxy. Whatever a reader gets must
 * be as new as what was acknowledged before it asked. A key may be lost only where a node has died with it, and what is
 * lost stays lost: no value that was gone comes back.
 */
import { RawClient } from '../support/raw-client.js';
import type { Target, Violation } from './checker.js';

interface Key {
  readonly name: string;
  /** The last value that was sent. */
  sent: number;
  /** The last value that was acknowledged. */
  acknowledged: number;
  /** The least that a read may give from now on. */
  floor: number;
  /** It is written once, and read from then on: what is lost of it must stay lost. */
  readonly isCold: boolean;
  /** A cold key is to be written. */
  isDue: boolean;
  /** Its node has died with it: until the next write that is acknowledged it may be gone. */
  mayBeLost: boolean;
}

export interface FreshnessOptions {
  readonly proxies: () => readonly Target[];
  readonly keys: number;
  /** After so many milliseconds a client gives up waiting, and connects anew. */
  readonly patience: number;
}

const ROUND = 12;
/** One key of so many is cold: a number that has nothing in common with that of the proxies. */
const COLD = 4;

export class FreshnessChecker {
  readonly #options: FreshnessOptions;
  readonly #keys: readonly Key[];
  readonly violations: Violation[] = [];
  acknowledged = 0;
  read = 0;
  lost = 0;
  #runs = true;
  #done: Promise<unknown> = Promise.resolve();

  constructor(options: FreshnessOptions) {
    this.#options = options;
    this.#keys = Array.from({ length: options.keys }, (_, i) => ({
      name: `fresh:${i}`,
      ...{ sent: 0, acknowledged: 0, floor: 0, mayBeLost: true },
      ...{ isCold: i % COLD === 0, isDue: true },
    }));
  }

  get names(): string[] {
    return this.#keys.map(({ name }) => name);
  }

  start(): void {
    const { proxies } = this.#options;
    // As many as there are proxies, each of which goes from one proxy to the next when its own does not answer.
    const writers = proxies().map((_, i) => this.#run(i, (client) => this.#write(client, i)));
    const readers = proxies().map((_, i) => this.#run(i, (client) => this.#read(client)));
    this.#done = Promise.all([...writers, ...readers]);
  }

  async stop(): Promise<void> {
    this.#runs = false;
    await this.#done;
  }

  /** A node with these keys is about to die, or to be cut off. */
  mayLose(names: readonly string[]): void {
    for (const key of this.#keys) if (names.includes(key.name)) key.mayBeLost = true;
  }

  async #run(index: number, round: (client: RawClient) => Promise<void>): Promise<void> {
    for (let at = index; this.#runs; at++) {
      const targets = this.#options.proxies();
      const { host, port } = targets[at % targets.length] as Target;
      let client: RawClient | null = null;
      try {
        client = await inTime(RawClient.connect(port, host), this.#options.patience);
        while (this.#runs) await inTime(round(client), this.#options.patience);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      } finally {
        client?.close();
      }
    }
  }

  /** Of keys of its own, so that each has one writer. */
  async #write(client: RawClient, index: number): Promise<void> {
    const own = this.#keys.filter((_key, i) => i % this.#options.proxies().length === index);
    const warm = own.filter(({ isCold }) => !isCold);
    const some = Array.from({ length: ROUND }, () => warm[Math.floor(Math.random() * warm.length)] as Key);
    const unique = [...new Set([...some, ...own.filter(({ isCold, isDue }) => isCold && isDue)])];
    const before = unique.map((key) => ({ key, value: ++key.sent, isDue: key.isDue }));
    const replies = await client.pipeline(before.map(({ key, value }) => ['SET', key.name, String(value)]));
    for (const [i, { key, value, isDue }] of before.entries()) {
      if (replies[i]?.toString() !== '+OK\r\n') continue;
      this.acknowledged++;
      if (isDue) key.isDue = false;
      key.acknowledged = value;
      key.floor = Math.max(key.floor, value);
    }
  }

  async #read(client: RawClient): Promise<void> {
    const keys = Array.from({ length: ROUND }, () => this.#keys[Math.floor(Math.random() * this.#keys.length)] as Key);
    const before = keys.map((key) => ({ ...key }));
    const replies = await client.pipeline(keys.map(({ name }) => ['GET', name]));
    for (const [i, key] of keys.entries()) this.#compare(key, before[i] ?? key, replies[i]?.toString() ?? '');
  }

  /** @param before the key as it was when that was asked */
  #compare(key: Key, { floor, acknowledged }: Key, reply: string): void {
    if (reply.startsWith('-')) return;
    this.read++;
    const value = reply === '$-1\r\n' ? null : Number(reply.split('\r\n')[1]);
    if (value === null) {
      // There was none, or it is lost already.
      if (floor === 0 || floor > acknowledged) return;
      if (!key.mayBeLost) this.#violate(key, `at least ${floor}`, 'nothing');
      // What was gone does not come back; a write that was sent meanwhile may be there.
      else if (key.acknowledged === acknowledged) {
        key.floor = floor + 1;
        this.lost++;
      }
      return;
    }
    if (value < floor) this.#violate(key, `at least ${floor}`, String(value));
  }

  #violate({ name }: Key, expected: string, found: string): void {
    this.violations.push({ command: `GET ${name}`, expected, found });
  }

  /** From here on what is acknowledged is kept: what is written once more may not be lost any more. */
  async settle(all: 'warm keys' | 'all keys' = 'warm keys'): Promise<void> {
    const keys = all === 'all keys' ? this.#keys : this.#keys.filter(({ isCold }) => !isCold);
    for (const key of keys) key.isDue = true;
    for (const key of keys) {
      await until(() => !key.isDue || !this.#runs);
      key.mayBeLost = false;
    }
  }
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing came for ${milliseconds} ms`)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
