/**
 * A user of the cache: asks for values, and puts those that are not there, as an application would (cache-aside).
 * It counts what it does and checks every value that it reads, so that its figures can be held against the proxy's.
 */
import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { LoadOptions } from './options.js';
import { skewed } from './skew.js';
import { Versions } from './versions.js';
import { AcknowledgedWrites } from './writes.js';

export interface LoadCounts {
  /** Commands that were answered without an error, by name. */
  readonly commands: Record<string, number>;
  /** Commands that failed, by the first word of the error. */
  readonly errors: Record<string, number>;
  /** Keys read that were there, and that were not; an MGET reads several. */
  hits: number;
  misses: number;
  /** Values read that are not what was written under that key. */
  wrong: number;
  /** Acknowledged writes that are not there any more: pages that cannot have expired, counters that fell back. */
  lost: number;
  /** Reads that found an older version than one that was acknowledged before they were sent. */
  stale: number;
}

const KEYS_PER_MGET = 8;
const COUNTERS = 64;
/** How much of the load they are. */
const VERSIONS_PART = 0.4;
/** How many of their versions are that the key is removed. */
const REMOVALS_PART = 0.3;
/** A pause after an error, so that a node that is down is not asked as fast as the machine can. */
const ERROR_PAUSE_MS = 50;

export class Load {
  readonly counts: LoadCounts = { commands: {}, errors: {}, hits: 0, misses: 0, wrong: 0, lost: 0, stale: 0 };
  readonly #options: LoadOptions;
  readonly #clients: Redis[];
  readonly #written: AcknowledgedWrites;
  readonly versions = new Versions();
  readonly #stop = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    const { host, port, ca, username = '', password = '' } = options;
    const login = username === '' ? {} : { username, password };
    // An address is no server name in the handshake (RFC 6066).
    const tls = ca === undefined ? {} : { tls: { ca, ...(isIP(host) === 0 ? { servername: host } : {}) } };
    // Every connection waits for it.
    setMaxListeners(0, this.#stop.signal);
    // Half of it is what a page lives at least.
    this.#written = new AcknowledgedWrites((options.ttl * 1000) / 2);
    this.#clients = Array.from({ length: options.connections }, () => {
      // Commands fail at once while there is no connection, instead of waiting for one unseen.
      const client = new Redis({
        ...{ host, port, ...login, ...tls },
        ...{ lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => 500 },
      });
      // Every failure is seen by the command that it hits.
      client.on('error', () => {});
      return client;
    });
  }

  /** Begins. Each connection starts anew by itself when it is lost. */
  start(): void {
    this.#loops = this.#clients.map((client) => this.#loop(client));
  }

  /** Ends when the last answers are there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    for (const client of this.#clients) client.disconnect();
  }

  async #loop(client: Redis): Promise<void> {
    const { signal } = this.#stop;
    // Milliseconds from one operation of this connection to the next.
    const pace = this.#options.rate === 0 ? 0 : (1000 * this.#options.connections) / this.#options.rate;
    let due = performance.now() + Math.random() * pace;
    while (!signal.aborted) {
      const ahead = due - performance.now();
      // Timers are too coarse for less; a slow answer is not made up for by a burst of more than a second's work.
      if (ahead > 4) await delay(ahead, undefined, { signal }).catch(() => {});
      due = Math.max(due + pace, performance.now() - 1000);
      try {
        await this.#operate(client);
      } catch (error) {
        this.#count(this.counts.errors, kindOf(error));
        await delay(ERROR_PAUSE_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #operate(client: Redis): Promise<void> {
    const { versions = 0 } = this.#options;
    if (versions > 0 && Math.random() < VERSIONS_PART) {
      await this.#version(client, `version:${Math.floor(Math.random() * versions)}`);
      return;
    }
    const dice = Math.random();
    if (dice < 0.8) await this.#read(client);
    else if (dice < 0.88) await this.#write(client, this.#anyKey());
    else if (dice < 0.95) await this.#readSeveral(client);
    else await this.#increment(client, `hits:${Math.floor(Math.random() * COUNTERS)}`);
  }

  /** Writes the next version of the key, or removes it, or reads it where somebody writes. */
  async #version(client: Redis, key: string): Promise<void> {
    const removes = Math.random() < REMOVALS_PART;
    const next = Math.random() < 0.5 ? this.versions.begin(key, removes) : null;
    if (next !== null) {
      try {
        if (removes) await client.del(key);
        else await client.set(key, String(next));
        this.versions.acknowledge(key, next, removes);
        this.#count(this.counts.commands, removes ? 'del' : 'set');
      } finally {
        this.versions.end(key);
      }
      return;
    }
    const known = this.versions.known(key);
    const value = await client.get(key);
    this.#count(this.counts.commands, 'get');
    if (value === null) this.counts.misses++;
    else this.counts.hits++;
    const verdict = this.versions.judge(key, known, value);
    if (verdict === 'stale') this.counts.stale++;
    if (verdict === 'wrong') this.counts.wrong++;
  }

  async #increment(client: Redis, key: string): Promise<void> {
    const known = this.#written.countOf(key);
    const count = await client.incr(key);
    this.#count(this.counts.commands, 'incr');
    if (!this.#written.counted(key, known, count)) this.counts.lost++;
  }

  async #read(client: Redis): Promise<void> {
    const key = this.#anyKey();
    const knownUntil = this.#written.livesUntil(key);
    const value = await client.get(key);
    this.#count(this.counts.commands, 'get');
    this.#check(key, value, knownUntil);
    if (value === null) await this.#write(client, key);
  }

  async #readSeveral(client: Redis): Promise<void> {
    const keys = Array.from({ length: KEYS_PER_MGET }, () => this.#anyKey());
    const knownUntil = keys.map((key) => this.#written.livesUntil(key));
    const values = await client.mget(keys);
    this.#count(this.counts.commands, 'mget');
    for (const [index, key] of keys.entries()) this.#check(key, values[index] ?? null, knownUntil[index] ?? 0);
  }

  async #write(client: Redis, key: string): Promise<void> {
    const { ttl } = this.#options;
    const sent = performance.now();
    // Not all at once: keys that were written together need not expire together.
    await client.set(key, contentOf(key), 'EX', Math.ceil(ttl * (0.5 + Math.random() / 2)));
    this.#count(this.counts.commands, 'set');
    this.#written.wrote(key, sent);
  }

  #check(key: string, value: string | null, knownUntil: number): void {
    if (value === null) {
      this.counts.misses++;
      if (this.#written.isLost(key, knownUntil, performance.now())) this.counts.lost++;
      return;
    }
    this.counts.hits++;
    if (value !== contentOf(key)) this.counts.wrong++;
  }

  #anyKey(): string {
    return `page:${skewed(this.#options.keys, Math.random())}`;
  }

  #count(counts: Record<string, number>, name: string): void {
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

/** The one value that a key ever has: between 50 and 1,000 bytes, told from the key. */
function contentOf(key: string): string {
  const text = `<h1>${key}</h1>`;
  const times = 4 + ((key.length * 31 + key.charCodeAt(key.length - 1) * 17) % 60);
  return text.repeat(times);
}

function kindOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^[A-Z]{2,}/.exec(message)?.[0] ?? 'connection';
}
