/**
 * Clients with a model of every acknowledged write, over the data types: each reply is compared with what
 * the model says, while somebody else changes the ring. A key belongs to one client, so that the model
 * always knows the one right answer.
 */
import type { ConnectionOptions } from 'node:tls';
import type { Redis } from 'ioredis';
import { Random } from '../fuzz/random.js';
import { RawClient } from '../support/raw-client.js';
import type { RedisProcess } from '../support/redis-process.js';

type Value =
  | { readonly kind: 'string'; readonly value: string; readonly expires: boolean }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'hash'; readonly fields: ReadonlyMap<string, string> };

interface Step {
  readonly words: readonly string[];
  /** The right reply, or what it must look like. */
  readonly expected: string | RegExp;
}

/** A step, and what the model said before it of the keys that it may change. */
interface PlannedStep extends Step {
  readonly before: ReadonlyMap<string, Value | undefined>;
}

const bulk = (text: string | undefined): string =>
  text === undefined ? '$-1\r\n' : `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (items: readonly (string | undefined)[]): string => `*${items.length}\r\n${items.map(bulk).join('')}`;
const integer = (value: number): string => `:${value}\r\n`;
const OK = '+OK\r\n';
/** Counters that every client increments: they tell when two nodes served one key at a time. */
const SHARED_COUNTERS = 40;
const HOUR_MS = 3_600_000;

export interface Violation {
  readonly command: string;
  readonly expected: string;
  readonly found: string;
}

/** Where clients connect. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Undefined: plainly. */
  readonly tls?: ConnectionOptions;
}

function connectTo({ host, port, tls }: Target): Promise<RawClient> {
  return tls === undefined ? RawClient.connect(port, host) : RawClient.secure({ ...tls, host, port });
}

export interface CheckerOptions {
  /** The proxies: clients are spread over them, and go to another one when theirs is gone. */
  readonly proxies: () => readonly Target[];
  readonly clients: number;
  readonly keysPerClient: number;
  readonly seed: number;
  /** A connection that is cut is no violation (the proxy was killed): the outcome of what was in flight is open. */
  readonly toleratesCuts: boolean;
  /** Nodes may be slower than the proxy waits, so its own errors are no violation. What they say must be true. */
  readonly toleratesFailures?: boolean;
  /** Whether nodes run scripts; default: they do. */
  readonly scripts?: boolean;
  /** Milliseconds after which a client gives up waiting for replies and connects anew; default: it waits. */
  readonly patience?: number;
}

/** Keys that are named, of those that are not where they belong. */
const MOST_TOLD = 20;

/** For how long the last reads are sent again, where nodes may be slower than the proxy waits. */
const READ_AGAIN_MS = 30_000;

/** How long a client waits for a connection where it has patience. */
const CONNECT_MS = 1000;

/** An error of the proxy's own: whether the command has run nobody knows, or it has not. */
function failureOf(reply: string): 'unknown' | 'not run' | null {
  if (!/^-(?:NODEDOWN|TRYAGAIN) /.test(reply)) return null;
  return reply.includes('the outcome of the command is unknown') ? 'unknown' : 'not run';
}

/** @throws Error when the work is not done in time */
function inTime<T>(work: Promise<T>, milliseconds: number | undefined): Promise<T> {
  if (milliseconds === undefined) return work;
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing came for ${milliseconds} ms`)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

/** One client of the checker. */
class Actor {
  readonly #id: number;
  readonly #random: Random;
  readonly #options: CheckerOptions;
  readonly model = new Map<string, Value>();
  /** Keys of which nobody knows whether the last command has run. It never runs behind the next one. */
  readonly open = new Set<string>();
  /** How often a key of this number was left behind. */
  readonly #epochs = new Map<number, number>();
  #connects: number;
  readonly violations: Violation[] = [];
  commands = 0;
  failures = 0;
  /** Acknowledged increments of the counters that all clients share. */
  readonly increments = new Map<string, number>();
  /** Increments of them of which nobody knows whether they have run. */
  readonly openIncrements = new Map<string, number>();
  running = true;

  constructor(id: number, options: CheckerOptions) {
    this.#id = id;
    this.#options = options;
    this.#connects = id;
    this.#random = new Random(options.seed * 1000 + id);
  }

  async run(): Promise<void> {
    while (this.running && this.violations.length < 3) {
      let client: RawClient | null = null;
      try {
        client = await this.#connect();
        while (this.running && this.violations.length < 3) await this.#round(client);
      } catch (error) {
        if (!this.#options.toleratesCuts) throw error;
        this.#leaveOpenKeys();
        await new Promise((resolve) => setTimeout(resolve, 20));
      } finally {
        client?.close();
      }
    }
  }

  /** The next proxy in turn. */
  async #connect(): Promise<RawClient> {
    const proxies = this.#options.proxies();
    const target = proxies[this.#connects++ % proxies.length] as Target;
    const patience = this.#options.patience === undefined ? undefined : CONNECT_MS;
    return inTime(connectTo(target), patience);
  }

  /**
   * With several proxies, a command whose outcome is unknown may run at any time behind those that its client sends by
   * another proxy: as with any server whose client connects anew by another way. Such keys are left behind for good.
   */
  #leaveOpenKeys(): void {
    if (this.#options.proxies().length === 1) return;
    for (const key of this.open) {
      const number = Number(key.split(':')[1]);
      this.#epochs.set(number, (this.#epochs.get(number) ?? 0) + 1);
      this.model.delete(key);
    }
    this.open.clear();
  }

  async #round(client: RawClient): Promise<void> {
    const used = new Set<string>();
    const steps: PlannedStep[] = [];
    for (let i = this.#random.below(24); i >= 0; i--) {
      const key = this.#key();
      if (used.has(key)) continue;
      used.add(key);
      const before = new Map([[key, this.model.get(key)]]);
      steps.push({ ...(this.open.has(key) ? this.#reset(key) : this.#step(key)), before });
    }
    if (this.#random.chance(30)) steps.push(...this.#several(used));
    const shared = `shared:${this.#random.below(SHARED_COUNTERS)}`;
    steps.push({ words: ['INCR', shared], expected: /^:\d+\r\n$/, before: new Map() });
    let replies: Buffer[];
    try {
      replies = await inTime(client.pipeline(steps.map((step) => step.words)), this.#options.patience);
    } catch (error) {
      for (const step of steps) this.#onFailure(step, 'unknown');
      count(this.openIncrements, shared);
      throw error;
    }
    this.commands += steps.length;
    replies.forEach((reply, i) => {
      const step = steps[i] as PlannedStep;
      const { words, expected } = step;
      const found = reply.toString();
      const failure = failureOf(found);
      const isLast = i === steps.length - 1;
      if (failure === null) {
        for (const key of step.before.keys()) this.open.delete(key);
        if (isLast) count(this.increments, shared);
      } else {
        this.failures++;
        this.#onFailure(step, failure);
        if (isLast && failure === 'unknown') count(this.openIncrements, shared);
        if (this.#options.toleratesFailures === true) return;
      }
      const right = typeof expected === 'string' ? found === expected : expected.test(found);
      if (!right) this.violations.push({ command: words.join(' '), expected: String(expected), found });
    });
  }

  /** What was expected of the step did not come to pass, or nobody knows; of several keys some may have changed. */
  #onFailure({ before }: PlannedStep, failure: 'unknown' | 'not run'): void {
    for (const [key, value] of before) {
      if (value === undefined) this.model.delete(key);
      else this.model.set(key, value);
      if (failure === 'unknown' || before.size > 1) this.open.add(key);
    }
  }

  #key(): string {
    const number = this.#random.below(this.#options.keysPerClient);
    const epoch = this.#epochs.get(number);
    return epoch === undefined ? `c${this.#id}:${number}` : `c${this.#id}:${number}:${epoch}`;
  }

  /** The outcome of the last command on this key is unknown: it begins anew. */
  #reset(key: string): Step {
    this.model.set(key, { kind: 'string', value: 'anew', expires: false });
    return { words: ['SET', key, 'anew'], expected: OK };
  }

  #step(key: string): Step {
    const random = this.#random;
    const known = this.model.get(key);
    if (known === undefined) return this.#create(key);
    if (random.chance(5)) {
      this.model.delete(key);
      return { words: ['DEL', key], expected: integer(1) };
    }
    if (known.kind === 'list') {
      if (random.chance(50)) return { words: ['LRANGE', key, '0', '-1'], expected: array(known.items) };
      if (random.chance(40) && known.items.length > 1) {
        this.model.set(key, { kind: 'list', items: known.items.slice(1) });
        return { words: ['LPOP', key], expected: bulk(known.items[0]) };
      }
      const items = [...known.items, `i${random.below(1000)}`].slice(-30);
      if (items.length <= known.items.length) return { words: ['LLEN', key], expected: integer(known.items.length) };
      this.model.set(key, { kind: 'list', items });
      return { words: ['RPUSH', key, items.at(-1) ?? ''], expected: integer(items.length) };
    }
    if (known.kind === 'hash') {
      const field = `f${random.below(8)}`;
      if (random.chance(60)) return { words: ['HGET', key, field], expected: bulk(known.fields.get(field)) };
      const fields = new Map(known.fields).set(field, `v${random.below(1000)}`);
      this.model.set(key, { kind: 'hash', fields });
      return {
        words: ['HSET', key, field, fields.get(field) ?? ''],
        expected: integer(known.fields.has(field) ? 0 : 1),
      };
    }
    return this.#stringStep(key, known.value, known.expires);
  }

  #stringStep(key: string, value: string, expires: boolean): Step {
    const random = this.#random;
    const put = (next: string, ttl = expires): void =>
      void this.model.set(key, { kind: 'string', value: next, expires: ttl });
    switch (random.below(11)) {
      case 0: {
        const next = `v${random.below(1e6)}`;
        put(next, false);
        return { words: ['SET', key, next], expected: OK };
      }
      case 1: {
        const more = `+${random.below(10)}`;
        if (value.length > 200) return { words: ['STRLEN', key], expected: integer(value.length) };
        put(value + more);
        return { words: ['APPEND', key, more], expected: integer(value.length + more.length) };
      }
      case 2:
        return { words: ['SETNX', key, 'never'], expected: integer(0) };
      case 3:
        return { words: ['SET', key, 'never', 'NX'], expected: '$-1\r\n' };
      case 4:
        this.model.delete(key);
        return { words: ['GETDEL', key], expected: bulk(value) };
      case 5:
        put(value, true);
        return { words: ['PEXPIRE', key, String(HOUR_MS)], expected: integer(1) };
      case 6:
        return { words: ['PTTL', key], expected: expires ? /^:3[0-9]{6}\r\n$/ : ':-1\r\n' };
      case 7: {
        const number = /^\d+$/.test(value) ? Number(value) : null;
        if (number === null) return { words: ['INCR', key], expected: /^-ERR value is not an integer/ };
        put(String(number + 1));
        return { words: ['INCR', key], expected: integer(number + 1) };
      }
      case 8:
        return { words: [...this.#scriptedGet, key], expected: bulk(value) };
      default:
        return { words: ['GET', key], expected: bulk(value) };
    }
  }

  get #scriptedGet(): string[] {
    return this.#options.scripts === false ? ['GET'] : ['EVAL', 'return redis.call("get", KEYS[1])', '1'];
  }

  #create(key: string): Step {
    const random = this.#random;
    switch (random.below(6)) {
      case 0:
        return { words: ['GET', key], expected: '$-1\r\n' };
      case 1:
        this.model.set(key, { kind: 'list', items: ['a', 'b'] });
        return { words: ['RPUSH', key, 'a', 'b'], expected: integer(2) };
      case 2:
        this.model.set(key, { kind: 'hash', fields: new Map([['f0', 'x']]) });
        return { words: ['HSET', key, 'f0', 'x'], expected: integer(1) };
      case 3:
        this.model.set(key, { kind: 'string', value: '1', expires: false });
        return { words: ['INCR', key], expected: integer(1) };
      case 4:
        this.model.set(key, { kind: 'string', value: 'nx', expires: false });
        return { words: ['SETNX', key, 'nx'], expected: integer(1) };
      default:
        this.model.set(key, { kind: 'string', value: 'px', expires: true });
        return { words: ['SET', key, 'px', 'PX', String(HOUR_MS)], expected: OK };
    }
  }

  /** Commands of several keys, behind those of the round: on keys that it did not touch. */
  #several(used: Set<string>): PlannedStep[] {
    const keys: string[] = [];
    for (let i = 0; i < 12; i++) {
      const key = this.#key();
      const value = this.model.get(key);
      if (used.has(key) || this.open.has(key) || (value !== undefined && value.kind !== 'string')) continue;
      used.add(key);
      keys.push(key);
    }
    if (keys.length === 0) return [];
    const values = keys.map((key) => {
      const value = this.model.get(key);
      return value?.kind === 'string' ? value.value : undefined;
    });
    const existing = values.filter((value) => value !== undefined).length;
    const steps: PlannedStep[] = [
      { words: ['MGET', ...keys], expected: array(values), before: new Map() },
      { words: ['EXISTS', ...keys], expected: integer(existing), before: new Map() },
    ];
    const before = new Map(keys.map((key) => [key, this.model.get(key)]));
    const fresh = `m${this.#random.below(1000)}`;
    for (const key of keys) this.model.set(key, { kind: 'string', value: fresh, expires: false });
    steps.push({ words: ['MSET', ...keys.flatMap((key) => [key, fresh])], expected: OK, before });
    return steps;
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export class Checker {
  readonly #actors: Actor[];
  readonly #options: CheckerOptions;
  #runs: Promise<void>[] = [];

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#actors = Array.from({ length: options.clients }, (_, id) => new Actor(id, options));
  }

  start(): void {
    this.#runs = this.#actors.map((actor) => actor.run());
    // Told by `stop`.
    for (const run of this.#runs) run.catch(() => {});
  }

  get commands(): number {
    return this.#actors.reduce((sum, actor) => sum + actor.commands, 0);
  }

  /** Commands that were answered, and not with an error of the proxy's own. */
  get acknowledged(): number {
    return this.commands - this.failures;
  }

  /** Commands that were answered with an error of the proxy's own. */
  get failures(): number {
    return this.#actors.reduce((sum, actor) => sum + actor.failures, 0);
  }

  get violations(): Violation[] {
    return this.#actors.flatMap((actor) => actor.violations);
  }

  async stop(): Promise<void> {
    for (const actor of this.#actors) actor.running = false;
    await Promise.all(this.#runs);
  }

  /**
   * Where the proxy's own errors are no violation, it is asked again until a node has answered: what a node holds is
   * compared, not whether it was in time.
   */
  async #read(client: RawClient, commands: readonly (readonly string[])[]): Promise<Buffer[]> {
    const deadline = performance.now() + READ_AGAIN_MS;
    for (;;) {
      const replies = await client.pipeline(commands);
      const failed = this.#options.toleratesFailures && replies.some((reply) => failureOf(reply.toString()) !== null);
      if (!failed || performance.now() > deadline) return replies;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Compares every key with the model, through the proxy. @returns what is wrong */
  async verifyAll(): Promise<Violation[]> {
    const found: Violation[] = [];
    const [proxy] = this.#options.proxies();
    if (proxy === undefined) throw new Error('there is no proxy');
    const client = await connectTo(proxy);
    for (const actor of this.#actors) {
      const entries = [...actor.model].filter(([key]) => !actor.open.has(key));
      const replies = await this.#read(
        client,
        entries.map(([key, value]) =>
          value.kind === 'string' ? ['GET', key] : value.kind === 'list' ? ['LRANGE', key, '0', '-1'] : ['HLEN', key],
        ),
      );
      entries.forEach(([key, value], i) => {
        const expected =
          value.kind === 'string'
            ? bulk(value.value)
            : value.kind === 'list'
              ? array(value.items)
              : integer(value.fields.size);
        const reply = String(replies[i]);
        if (reply !== expected) found.push({ command: `final ${key}`, expected, found: reply });
      });
    }
    for (let i = 0; i < SHARED_COUNTERS; i++) {
      const key = `shared:${i}`;
      const least = this.#actors.reduce((total, actor) => total + (actor.increments.get(key) ?? 0), 0);
      const most = this.#actors.reduce((total, actor) => total + (actor.openIncrements.get(key) ?? 0), least);
      const reply = String((await this.#read(client, [['GET', key]]))[0]);
      const value = Number(/^\$\d+\r\n(\d+)\r\n$/.exec(reply)?.[1] ?? (reply === '$-1\r\n' ? 0 : Number.NaN));
      if (value >= least && value <= most) continue;
      found.push({
        command: `final ${key}`,
        expected: least === most ? `${least}` : `${least} to ${most}`,
        found: reply,
      });
    }
    client.close();
    return found;
  }
}

/**
 * Keys that nobody writes any more, and that are to be there, each on one node, while the ring is stable.
 * @param pattern of KEYS
 * @returns what is wrong, and how many keys each node has
 */
export async function verifyStillKeys(
  nodes: readonly RedisProcess[],
  pattern: string,
  keys: readonly string[],
): Promise<string[]> {
  const places = new Map<string, string[]>(keys.map((key) => [key, []]));
  for (const node of nodes) {
    for (const key of await node.client().keys(pattern)) places.set(key, [...(places.get(key) ?? []), node.address]);
  }
  const wrong = [...places].filter(([, found]) => found.length !== 1);
  if (wrong.length === 0) return [];
  const counts = nodes.map(({ address }) => {
    const all = [...places.values()].filter((found) => found.includes(address)).length;
    return `${address}: ${all} keys, ${wrong.filter(([, found]) => found.includes(address)).length} of these`;
  });
  const told = wrong.slice(0, MOST_TOLD).map(([key, found]) => `${key} is on ${found.join(' and on ') || 'no node'}`);
  return [`${wrong.length} keys are lost, or are on several nodes`, ...counts, ...told];
}

/** Each key is on exactly one node, and that is its owner. @returns what is wrong */
export async function verifyPlacement(
  nodes: readonly RedisProcess[],
  ownerAddress: (keys: readonly string[]) => Promise<string[]>,
): Promise<string[]> {
  const wrong: string[] = [];
  const seen = new Map<string, string>();
  for (const node of nodes) {
    const client: Redis = node.client();
    const keys = (await client.keys('*')).filter((key) => !key.startsWith('__ringproxy__'));
    for (let first = 0; first < keys.length; first += 300) {
      const part = keys.slice(first, first + 300);
      const owners = await ownerAddress(part);
      part.forEach((key, i) => {
        if (seen.has(key)) wrong.push(`${key} is on ${seen.get(key)} and on ${node.address}`);
        seen.set(key, node.address);
        if (owners[i] !== node.address) wrong.push(`${key} is on ${node.address}, but ${owners[i]} owns it`);
      });
    }
  }
  return wrong.length <= MOST_TOLD ? wrong : [`${wrong.length} in all`, ...wrong.slice(0, MOST_TOLD)];
}
