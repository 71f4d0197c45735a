/**
 * Moves keys from the nodes that lose them to the nodes that get them, with MIGRATE … REPLACE on the source.
 *
 * Two things ask for moves: clients whose next command is on a moved key (`settle`), and the sweep, which
 * walks every source. A moved key is never written to its source any more, so a copy there is always the
 * valid one, and once it is gone from there it stays gone: that is remembered, exactly and bounded, and for
 * a whole source when it is swept.
 */
import type { Redis } from 'ioredis';
import type { ClientConnection } from '../proxy/client/client-connection.js';
import type { KeyMoves } from '../proxy/key-moves.js';
import { isReserved } from '../proxy/plan/reserved.js';
import type { NodeSpec } from '../ring/node-spec.js';
import type { Ring } from '../ring/ring.js';

export interface MoverNode extends NodeSpec {
  /** Where a source finds this node, and how it logs in there. */
  readonly peerAddress: string;
  readonly username: string;
  readonly password: string;
}

export interface MoverOptions {
  readonly nodes: readonly MoverNode[];
  /** The rings before and after, over `nodes`. */
  readonly ring: Ring;
  readonly nextRing: Ring;
  /** Opens a connection to a node and selects the database. */
  readonly connect: (node: NodeSpec, database: number) => Promise<Redis>;
  /** Told when the sweep stops because of a failure; it goes on with `resume`. */
  readonly onFailure: (message: string) => void;
  /** Whether clients were served since it was asked last. */
  readonly isBusy: () => boolean;
  readonly onSwept: () => void;
  /** So many keys went from one node to another. */
  readonly onMoved: (source: string, target: string, keys: number) => void;
}

export interface SourceProgress {
  readonly node: string;
  readonly done: boolean;
  readonly keysMoved: number;
  readonly keysScanned: number;
}

/** MIGRATE blocks both nodes while it lasts: keys of a batch, at most. */
const BATCH_KEYS = 64;
/** The sweep's batches grow while they take less than this, and shrink when they take twice as long. */
const BATCH_GOAL_MS = 2;
/** While clients are served, batches are smaller, and each is followed by a pause: their latency comes first. */
const BUSY_BATCH_KEYS = 16;
const BUSY_PAUSE_MS = 2;
/** The pause grows with the number of sources, since all of them keep their targets busy. */
const BUSY_PAUSE_PER_SOURCE_MS = 0.7;
/** A batch that took longer than this is followed by a pause as long as itself: others want the nodes, too. */
const LONG_BATCH_MS = 10;
const SCAN_COUNT = 512;
/** How long a source waits for its target. */
const MIGRATE_TIMEOUT_MS = 5000;
/** Keys whose move is remembered one by one; a forgotten key is only asked for once more. */
const SETTLED_LIMIT = 1_000_000;
/** A settle that failed is tried again after this long. */
const RETRY_MS = 100;

interface Pending {
  readonly key: Buffer;
  readonly waiting: Set<ClientConnection>;
}

class Source {
  done = false;
  keysMoved = 0;
  keysScanned = 0;
  /** Keys of the next batch of the sweep. */
  batch = 16;
}

export class Mover implements KeyMoves {
  readonly #options: MoverOptions;
  readonly #sources = new Map<number, Source>();
  readonly #connections = new Map<string, Promise<Redis>>();
  #settled = new Set<string>();
  /** Settles that wait, by source, target and database. */
  readonly #queues = new Map<string, Map<string, Pending>>();
  readonly #running = new Set<string>();
  #paused = false;
  #stopped = false;
  /** Who waits for the end of a pause. */
  #wakes: (() => void)[] = [];
  #sweeping: Promise<unknown> = Promise.resolve();
  readonly #settling = new Set<Promise<void>>();
  /** Keys a second; 0: as fast as it goes. */
  #throttle = 0;
  /** Estimated from one key of each batch. */
  bytesMoved = 0;
  error: string | null = null;

  constructor(options: MoverOptions) {
    this.#options = options;
    const losing = new Set<number>();
    const { ring, nextRing } = options;
    for (const points of [ring.points, nextRing.points]) {
      for (const point of points) {
        const owner = ring.ownerOfHash(point);
        if (owner !== nextRing.ownerOfHash(point)) losing.add(owner);
      }
    }
    for (const source of losing) this.#sources.set(source, new Source());
  }

  get paused(): boolean {
    return this.#paused;
  }

  get progress(): SourceProgress[] {
    return [...this.#sources].map(([index, source]) => ({
      node: this.#options.nodes[index]?.name ?? '',
      done: source.done,
      keysMoved: source.keysMoved,
      keysScanned: source.keysScanned,
    }));
  }

  isSettled(source: number, database: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.#sources.get(source)?.done === true) return true;
    return this.#settled.has(settledName(source, database, buffer.toString('latin1', start, end)));
  }

  settle(source: number, target: number, database: number, key: Buffer, client: ClientConnection): void {
    const route = `${source} ${target} ${database}`;
    let queue = this.#queues.get(route);
    if (queue === undefined) {
      queue = new Map();
      this.#queues.set(route, queue);
    }
    const name = key.toString('latin1');
    const pending = queue.get(name) ?? { key, waiting: new Set() };
    pending.waiting.add(client);
    queue.set(name, pending);
    if (this.#running.has(route)) return;
    this.#running.add(route);
    // Everything that is asked for in this turn goes in one batch.
    setImmediate(() => {
      const settling = this.#settleAll(route, source, target, database);
      this.#settling.add(settling);
      void settling.then(() => this.#settling.delete(settling));
    });
  }

  /** Nothing is moved off these nodes: what they held is given up. */
  giveUp(nodes: readonly number[]): void {
    for (const index of nodes) {
      const source = this.#sources.get(index);
      if (source !== undefined) source.done = true;
    }
  }

  /** Walks every source until none has a moved key any more. */
  async sweep(): Promise<void> {
    this.#sweeping = Promise.all([...this.#sources].map(([index, source]) => this.#sweepSource(index, source)));
    await this.#sweeping;
    if (!this.#stopped && [...this.#sources.values()].every((source) => source.done)) this.#options.onSwept();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.error = null;
    this.#wakeAll();
  }

  /** @param keysPerSecond 0: as fast as it goes */
  throttle(keysPerSecond: number): void {
    this.#throttle = keysPerSecond;
  }

  /** Ends the sweep. Settles that wait are given up: the clients ask anew. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeAll();
    // A MIGRATE that is under way must have ended: it would run late otherwise.
    await this.#sweeping;
    await Promise.all(this.#settling);
    for (const queue of this.#queues.values()) {
      for (const { waiting } of queue.values()) for (const client of waiting) client.resumeSoon();
      queue.clear();
    }
    const connections = await Promise.allSettled(this.#connections.values());
    for (const connection of connections) if (connection.status === 'fulfilled') connection.value.disconnect();
    this.#connections.clear();
  }

  async #settleAll(route: string, source: number, target: number, database: number): Promise<void> {
    const queue = this.#queues.get(route) ?? new Map<string, Pending>();
    while (queue.size > 0 && !this.#stopped) {
      const batch = [...queue].slice(0, BATCH_KEYS);
      try {
        const keys = batch.map(([, { key }]) => key);
        await this.#migrate(await this.#connection(source, database), source, target, database, keys);
        for (const [name, { waiting }] of batch) {
          this.#remember(source, database, name);
          queue.delete(name);
          for (const client of waiting) client.resumeSoon();
        }
      } catch (error) {
        this.#drop(source, database);
        this.#fail(source, error);
        await this.#sleep(RETRY_MS);
        // The clients ask again, or give up when they have waited too long.
        for (const [name, { waiting }] of batch) {
          queue.delete(name);
          for (const client of waiting) client.resumeSoon();
        }
      }
    }
    this.#running.delete(route);
  }

  async #sweepSource(index: number, source: Source): Promise<void> {
    while (!source.done && !this.#stopped) {
      try {
        for (const database of await this.#databases(index)) await this.#sweepDatabase(index, source, database);
        if (!this.#stopped) source.done = true;
      } catch (error) {
        this.#fail(index, error);
        this.#paused = true;
        this.#options.onFailure(this.error ?? '');
        await this.#whilePaused();
      }
    }
  }

  async #sweepDatabase(index: number, source: Source, database: number): Promise<void> {
    const redis = await this.#sweepConnection(index, database);
    try {
      let cursor = '0';
      do {
        await this.#whilePaused();
        if (this.#stopped) return;
        const [next, keys] = await redis.scanBuffer(cursor, 'COUNT', SCAN_COUNT);
        cursor = next.toString();
        source.keysScanned += keys.length;
        for (const [target, moving] of this.#byTarget(index, keys)) {
          for (let i = 0; i < moving.length && !this.#stopped; ) {
            const start = performance.now();
            const busy = this.#options.isBusy();
            const batch = moving.slice(i, i + (busy ? Math.min(source.batch, BUSY_BATCH_KEYS) : source.batch));
            i += batch.length;
            // Sent together: the size is answered before the key has left.
            const [size] = await Promise.all([
              redis.call('MEMORY', 'USAGE', batch[0] as Buffer),
              this.#migrate(redis, index, target, database, batch),
            ]);
            this.bytesMoved += (typeof size === 'number' ? size : 0) * batch.length;
            const took = performance.now() - start;
            adapt(source, batch.length, took);
            if (took > LONG_BATCH_MS) await this.#sleep(took);
            if (busy) await this.#sleep(this.#busyPause());
            if (this.#throttle > 0) {
              await this.#sleep((batch.length / this.#throttle) * 1000 - took);
            }
            await this.#whilePaused();
          }
        }
      } while (cursor !== '0');
    } finally {
      redis.disconnect();
    }
  }

  #byTarget(source: number, keys: readonly Buffer[]): Map<number, Buffer[]> {
    const { ring, nextRing } = this.#options;
    const found = new Map<number, Buffer[]>();
    for (const key of keys) {
      const hash = ring.hashOf(key, 0, key.length);
      const target = nextRing.ownerOfHash(hash);
      // What is not this node's by the old ring is not the ring's to move.
      if (target === source || ring.ownerOfHash(hash) !== source || isReserved(key, 0, key.length)) continue;
      const moving = found.get(target) ?? [];
      moving.push(key);
      found.set(target, moving);
    }
    return found;
  }

  /** @throws when the source or the target fails; keys that are on neither are no failure (NOKEY) */
  async #migrate(
    redis: Redis,
    source: number,
    target: number,
    database: number,
    keys: readonly Buffer[],
  ): Promise<void> {
    const node = this.#options.nodes[target] as MoverNode;
    const colon = node.peerAddress.lastIndexOf(':');
    const host = node.peerAddress.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
    const port = node.peerAddress.slice(colon + 1);
    const login =
      node.password === ''
        ? []
        : node.username === ''
          ? ['AUTH', node.password]
          : ['AUTH2', node.username, node.password];
    const reply = await redis.call(
      'MIGRATE',
      host,
      port,
      '',
      database,
      MIGRATE_TIMEOUT_MS,
      'REPLACE',
      ...login,
      'KEYS',
      ...keys,
    );
    // NOKEY: none of them was there any more.
    if (reply !== 'OK') return;
    const moved = this.#sources.get(source);
    if (moved !== undefined) moved.keysMoved += keys.length;
    this.#options.onMoved(this.#options.nodes[source]?.name ?? '', node.name, keys.length);
  }

  #busyPause(): number {
    let active = 0;
    for (const source of this.#sources.values()) if (!source.done) active++;
    return Math.max(BUSY_PAUSE_MS, active * BUSY_PAUSE_PER_SOURCE_MS);
  }

  async #databases(index: number): Promise<number[]> {
    const redis = await this.#sweepConnection(index, 0);
    try {
      const info = await redis.info('keyspace');
      return [...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map((match) => Number(match[1]));
    } finally {
      redis.disconnect();
    }
  }

  #sweepConnection(index: number, database: number): Promise<Redis> {
    return this.#options.connect(this.#options.nodes[index] as MoverNode, database);
  }

  /** The connection for settles: not the sweep's, so that a client does not wait behind a batch of its. */
  #connection(index: number, database: number): Promise<Redis> {
    const name = `${index} ${database}`;
    let connection = this.#connections.get(name);
    if (connection === undefined) {
      connection = this.#options.connect(this.#options.nodes[index] as MoverNode, database);
      this.#connections.set(name, connection);
    }
    return connection;
  }

  #drop(index: number, database: number): void {
    const name = `${index} ${database}`;
    this.#connections.get(name)?.then(
      (redis) => redis.disconnect(),
      () => {},
    );
    this.#connections.delete(name);
  }

  #remember(source: number, database: number, key: string): void {
    if (this.#settled.size >= SETTLED_LIMIT) this.#settled = new Set();
    this.#settled.add(settledName(source, database, key));
  }

  #fail(source: number, error: unknown): void {
    const node = this.#options.nodes[source];
    const why = error instanceof Error ? error.message : String(error);
    this.error = `moving keys off ${node?.name} (${node?.address}) failed: ${why}`;
  }

  async #whilePaused(): Promise<void> {
    while (this.#paused && !this.#stopped) {
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
  }
}

/** Large values make for small batches: what counts is how long the nodes are blocked. */
function adapt(source: Source, keys: number, milliseconds: number): void {
  if (milliseconds > BATCH_GOAL_MS * 2) source.batch = Math.max(1, Math.floor(keys / 2));
  else if (milliseconds < BATCH_GOAL_MS && keys === source.batch) source.batch = Math.min(BATCH_KEYS, source.batch * 2);
}

function settledName(source: number, database: number, key: string): string {
  return `${source} ${database} ${key}`;
}
