/**
 * Clients that see by whom they are answered: each command is a script that tells the name of the server's history of
 * writes, which is another one from each promotion on. So it shows when a former master is still spoken to while another
 * client has been answered by a later one, and who has acknowledged a write that is gone.
 */

import { RawClient } from '../support/raw-client.js';
import type { Target } from './checker.js';

/** Of a key of the node, ARGV[1] is written, unless it is empty. */
const SCRIPT = `local reign = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if ARGV[1] ~= '' then redis.call('SET', KEYS[1], ARGV[1]) end
return reign`;

export interface Write {
  readonly key: string;
  /** Who has acknowledged it. */
  readonly by: string;
  /** When it was sent, and acknowledged. */
  readonly from: number;
  readonly to: number;
}

/** One server as master, from its promotion on. */
interface Reign {
  readonly name: string;
  /** When somebody was answered by it first. */
  readonly from: number;
}

export interface OneMasterOptions {
  readonly proxies: () => readonly Target[];
  /** The name that all keys have in braces, so that they are at the node. */
  readonly tag: string;
  /** Milliseconds after which a client connects anew. */
  readonly patience: number;
}

/** Between two commands of a client. Milliseconds. */
const PAUSE_MS = 2;
/** What a replica may be late on one machine. Milliseconds. */
const LAG_MS = 1000;
/** Sentinels fail over a master that nobody has touched, where the machine is busy: it was gone for no longer. Milliseconds. */
const UNASKED_MS = 5000;

export class OneMasterChecker {
  readonly #options: OneMasterOptions;
  readonly #reigns: Reign[] = [];
  /** When the test has made the master fail. */
  readonly #begun: number[] = [];
  #writes: Write[] = [];
  readonly violations: string[] = [];
  answered = 0;
  /** Acknowledged writes that are gone. */
  lost = 0;
  #runs = true;
  #done: Promise<unknown> = Promise.resolve();
  readonly #servedBy = new Map<number, string>();

  constructor(options: OneMasterOptions) {
    this.#options = options;
  }

  /** Two clients at each proxy: one that writes, one that reads. */
  start(): void {
    const clients = this.#options.proxies().flatMap((_, i) => [this.#run(i, true), this.#run(i, false)]);
    this.#done = Promise.all(clients);
  }

  async stop(): Promise<void> {
    this.#runs = false;
    await this.#done;
  }

  /**
   * A failover begins, whether anybody knows it or not: when each proxy has been answered anew. Otherwise the first answer
   * of the master that is to be left could come later, and count as one of the next.
   */
  async begin(milliseconds: number): Promise<void> {
    this.#servedBy.clear();
    const end = performance.now() + milliseconds;
    while (this.#servedBy.size < this.#options.proxies().length) {
      if (performance.now() > end) throw new Error(`not answered within ${milliseconds} ms: ${this.story()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#begun.push(performance.now());
  }

  /** Waits until these proxies have been answered by the new master. */
  async served(proxies: readonly number[], milliseconds: number): Promise<void> {
    const begun = this.#begun.at(-1) ?? 0;
    const end = performance.now() + milliseconds;
    const isServed = (): boolean => {
      const reign = this.#reigns.at(-1);
      return reign !== undefined && reign.from > begun && proxies.every((at) => this.#servedBy.get(at) === reign.name);
    };
    while (!isServed()) {
      if (performance.now() > end) throw new Error(`not served within ${milliseconds} ms: ${this.story()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  story(): string {
    return JSON.stringify({ begun: this.#begun, reigns: this.#reigns, servedBy: [...this.#servedBy] });
  }

  /**
   * Looks for acknowledged writes that are gone: only a master that was left may have acknowledged them, in the moments
   * before that.
   * @param read what the node has of these keys
   */
  async look(read: (keys: readonly string[]) => Promise<readonly (string | null)[]>): Promise<void> {
    const writes = this.#writes;
    this.#writes = [];
    const values = await read(writes.map(({ key }) => key));
    for (const [i, { key, by, from, to }] of writes.entries()) {
      if (values[i] === key) continue;
      this.lost++;
      const at = this.#reigns.findIndex(({ name }) => name === by);
      const [reign, next] = [this.#reigns[at], this.#reigns[at + 1]];
      const isIn = (begun: number): boolean => begun > (reign?.from ?? 0) && begun < (next?.from ?? 0);
      const begun = this.#begun.find(isIn) ?? (next?.from ?? 0) - UNASKED_MS;
      if (next === undefined || from > next.from || to < begun - LAG_MS)
        this.violations.push(`${key}, acknowledged by ${by}, is lost`);
    }
  }

  async #run(proxy: number, writes: boolean): Promise<void> {
    const { proxies, patience, tag } = this.#options;
    for (let n = 0; this.#runs; ) {
      const { host, port } = proxies()[proxy] as Target;
      let client: RawClient | null = null;
      try {
        client = await inTime(RawClient.connect(port, host), patience);
        while (this.#runs) {
          const key = writes ? `{${tag}}:${proxy}:${n++}` : `{${tag}}`;
          const from = performance.now();
          const reply = await inTime(client.text('EVAL', SCRIPT, '1', key, writes ? key : ''), patience);
          const to = performance.now();
          const [, by] = /^\$\d+\r\n(\w+)\r\n$/.exec(reply) ?? [];
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          if (by !== undefined) this.#answered(proxy, { key: writes ? key : '', by, from, to });
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      } finally {
        client?.close();
      }
    }
  }

  #answered(proxy: number, write: Write): void {
    const { key, by, from, to } = write;
    this.answered++;
    this.#servedBy.set(proxy, by);
    if (key !== '') this.#writes.push(write);
    const at = this.#reigns.findIndex(({ name }) => name === by);
    const next = this.#reigns[at + 1];
    if (at < 0) this.#reigns.push({ name: by, from: to });
    else if (next !== undefined && from > next.from) {
      const late = Math.round(from - next.from);
      this.violations.push(
        `proxy ${proxy}: ${key === '' ? 'a read' : 'a write'} at ${by} ${late} ms after the next one`,
      );
    }
  }
}

function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing came for ${milliseconds} ms`)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
