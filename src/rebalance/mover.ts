/**
 * Moves keys from one node that loses them to the nodes that get them. Each source of a change has one mover at a time, in
 * whichever proxy.
 *
 * Two ask for moves: clients whose next command is on a moved key (`settle`), and the sweep, which walks the
 * source. Both go through `#move`, which takes care that a key is moved by one of them at a time: a key in
 * flight is on both nodes for a moment, and nobody may write it then.
 *
 * A moved key is never written to its source any more, so a copy there is always the valid one, and once it
 * is gone from there it stays gone: that is remembered, for keys one by one and for a source as a whole.
 */
import { NodeFailure } from '../node/failure.js';
import { type MoveWaiter, resumeAll } from '../proxy/key-moves.js';
import type { Rings } from '../ring/rings.js';
import { systemTimers, type Timers } from '../time/timers.js';
import { Carrier } from './carrier.js';
import { keyName } from './key-name.js';
import type { Looks } from './looks.js';
import type { MigrateTurns } from './migrate-turns.js';
import { MoveGate, type Purpose } from './move-gate.js';
import type { MoveMemory } from './move-memory.js';
import { type MoverNode, MovingNodes, type MovingNodesOptions, type RunIds } from './moving-nodes.js';
import { Pace } from './pace.js';
import { movingBetween, sweepSource, type WalkHooks, walkNode } from './sweep.js';
import { TransferRefused } from './transfer-refused.js';
import { unlinkKeys } from './unlink.js';

export interface MoverOptions {
  readonly nodes: readonly MoverNode[];
  /** Over `nodes`. */
  readonly rings: Rings;
  /** The node whose keys move. */
  readonly source: number;
  /** The processes of the nodes, as they were at the fence. */
  readonly runIds: RunIds;
  /** What this proxy remembers of the change, of all sources. */
  readonly memory: MoveMemory;
  /** Shared with the movers of other sources. */
  readonly looks: Looks;
  readonly turns: MigrateTurns;
  readonly link: MovingNodesOptions;
  /** Told when the sweep stops because of a failure; it goes on with `resume`. */
  readonly onFailure: (message: string) => void;
  /** Whether clients are being served. */
  readonly isBusy: () => boolean;
  /** How many sources are being swept, by whichever proxy. */
  readonly sweeping: () => number;
  /** The source has no moved key left. @returns whether that counts from now on */
  readonly onSwept: () => Promise<boolean>;
  /**
   * So many keys read as missing now, because their node was restarted while they moved: what it had may have been
   * from the past, and could not be told from what has been deleted since.
   */
  readonly onDropped: (keys: number) => void;
  /** So many keys went from one node to another; `bytes` of serialized values. */
  readonly onMoved: (source: string, target: string, keys: number, bytes: number) => void;
  /** Default: the machine's. */
  readonly timers?: Pick<Timers, 'now' | 'after'>;
}

/** How far the sweep of one node is. */
export interface SourceProgress {
  readonly node: string;
  readonly done: boolean;
  readonly keysMoved: number;
  readonly keysScanned: number;
  /** The large key that is being moved alone, or null. */
  readonly largeKey: { readonly key: string; readonly bytes: number } | null;
}

/** Keys that one batch of settles takes. */
const SETTLE_KEYS = 64;
/** Batches of settles from one node to another that may be on their way at the same time. */
const SETTLES_AT_ONCE = 4;
/** A move that failed is tried again after this long. */
const RETRY_MS = 100;

/** Keys that wait to be settled, by name, of one target and database. */
interface Route {
  readonly target: number;
  readonly database: number;
  readonly waiting: Map<string, { readonly key: Buffer; readonly clients: Set<MoveWaiter> }>;
  /** Batches on their way. */
  running: number;
  scheduled: boolean;
}

export class Mover {
  readonly #options: MoverOptions;
  readonly #source: number;
  readonly #memory: MoveMemory;
  readonly #looks: Looks;
  readonly #timers: Pick<Timers, 'now' | 'after'>;
  readonly #links: MovingNodes;
  readonly #pace: Pace;
  readonly #progress: { -readonly [Field in keyof SourceProgress]: SourceProgress[Field] };
  readonly #routes = new Map<string, Route>();
  /** Keys that are on their way, with who waits for them. */
  readonly #inFlight = new Map<string, Set<MoveWaiter>>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #carrier: Carrier;
  readonly #gate: MoveGate;
  /** Batches of the sweep that are on their way. */
  #sweeping = 0;
  #bytesMoved = 0;
  #error: string | null = null;

  constructor(options: MoverOptions) {
    const { nodes, source, memory, looks, turns, timers = systemTimers } = options;
    this.#options = options;
    this.#source = source;
    this.#memory = memory;
    this.#looks = looks;
    this.#timers = timers;
    this.#gate = new MoveGate(timers, looks);
    this.#links = new MovingNodes(nodes, options.runIds, options.link);
    this.#pace = new Pace(options.isBusy, options.sweeping, timers);
    const node = nodes[source]?.name ?? '';
    this.#progress = { node, done: false, keysMoved: 0, keysScanned: 0, largeKey: null };
    this.#carrier = new Carrier(this.#links, memory, turns, {
      onMoved: (from, to, keys, bytes) => this.#count(from, to, keys, bytes),
      onArrived: (_source, database, keys) => {
        for (const key of keys) this.#arrived(keyName(source, database, key));
      },
      onDropped: options.onDropped,
      onLarge: (_source, key) => {
        this.#progress.largeKey = key;
      },
    });
  }

  get paused(): boolean {
    return this.#gate.paused;
  }

  get progress(): SourceProgress {
    return { ...this.#progress };
  }

  /** Of serialized values. */
  get bytesMoved(): number {
    return this.#bytesMoved;
  }

  /** Why it does not get on, or null. */
  get error(): string | null {
    return this.#error;
  }

  /** Moves the key to `target`, and then resumes the client. Asking again for the same key does no harm. */
  settle(target: number, database: number, key: Buffer, client: MoveWaiter): void {
    const name = keyName(this.#source, database, key);
    const inFlight = this.#inFlight.get(name);
    if (inFlight !== undefined) {
      inFlight.add(client);
      return;
    }
    const route = this.#route(target, database);
    const entry = route.waiting.get(name) ?? { key, clients: new Set() };
    entry.clients.add(client);
    route.waiting.set(name, entry);
    this.#schedule(route);
  }

  /** The source has answered that it does not have the key: from now on it counts as settled. */
  noteGone(database: number, key: Buffer): void {
    this.#memory.settled.add(this.#source, database, key);
  }

  /** The run id of a node's process as it was at the fence; empty: it is not known. */
  runIdOf(node: number): string {
    return this.#links.runIdOf(node);
  }

  /** Nothing is moved off these nodes: what they held is given up. */
  giveUp(nodes: readonly number[]): void {
    this.#links.forget(nodes);
    if (nodes.includes(this.#source)) this.#markSwept();
  }

  /** Walks the source until it has no moved key any more. */
  async sweep(): Promise<void> {
    this.#openLinks();
    await this.#track(this.#sweepSource());
    // A key that failed to settle, and a connection that failed with commands in flight, must not be left behind.
    while (!this.#gate.stopped) {
      if (this.#inFlight.size > 0) await this.#gate.nextWake();
      else if (await this.#dropLate()) break;
      else await this.#gate.sleep(RETRY_MS);
    }
    while (this.#gate.held && !this.#gate.stopped) await this.#gate.nextWake();
    if (!this.#gate.stopped && (await this.#options.onSwept())) this.#markSwept();
  }

  /**
   * Begins no further moves until `release`, and waits until none is under way: of the sweep, which may be large, while
   * clients' keys go on moving; or all. What is settled stays settled. Not the operator's pause.
   * @param timeout milliseconds
   * @returns whether none is under way; `release` must follow in any case
   */
  hold(what: 'sweep' | 'all', timeout: number): Promise<boolean> {
    this.#gate.hold(what);
    const underWay = (): number => this.#sweeping + (what === 'sweep' ? 0 : this.#inFlight.size);
    return this.#gate.until(() => underWay() === 0, timeout);
  }

  release(): void {
    this.#gate.release();
  }

  pause(): void {
    this.#gate.pause();
  }

  resume(): void {
    this.#error = null;
    this.#gate.resume();
  }

  /** @param keysPerSecond of all sources together; 0: as fast as it goes */
  throttle(keysPerSecond: number): void {
    this.#pace.throttle(keysPerSecond);
  }

  /** As it is throttled; 0: as fast as it goes. */
  get keysPerSecond(): number {
    return this.#pace.keysPerSecond;
  }

  /**
   * Ends the sweep, and waits for what is in flight. Settles that wait are given up: the clients ask anew. What was sent
   * and not answered may still lie at a node then: see `leavesLate`.
   */
  async stop(): Promise<void> {
    this.#gate.stop();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    for (const route of this.#routes.values()) {
      for (const { clients } of route.waiting.values()) resumeAll(clients);
      route.waiting.clear();
    }
    for (const clients of this.#inFlight.values()) resumeAll(clients);
    await this.#links.close();
  }

  /** Commands of moves may still lie at nodes, on connections that have failed. */
  get leavesLate(): boolean {
    return this.#links.hasLate;
  }

  /**
   * Makes the nodes drop connections on which commands of moves may still lie. @throws when one cannot be asked
   */
  dropLateConnections(): Promise<void> {
    return this.#links.dropLate();
  }

  /** The first who wait for keys should not wait for connections as well. */
  #openLinks(): void {
    const targets = this.#options.rings.targetsOf(this.#source);
    this.#links.open([this.#source, ...targets], 'settle' satisfies Purpose);
  }

  #route(target: number, database: number): Route {
    const name = `${target} ${database}`;
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = { target, database, waiting: new Map(), running: 0, scheduled: false };
      this.#routes.set(name, route);
    }
    return route;
  }

  /** Everything that is asked for in one turn goes in one batch. */
  #schedule(route: Route): void {
    if (route.scheduled || route.running >= SETTLES_AT_ONCE || this.#gate.stopped) return;
    route.scheduled = true;
    setImmediate(() => {
      route.scheduled = false;
      if (!this.#gate.stopped) void this.#track(this.#settleBatch(route));
    });
  }

  async #settleBatch(route: Route): Promise<void> {
    while (!this.#gate.isOpenTo('settle')) await this.#gate.nextWake();
    const { target, database, waiting } = route;
    const batch: Buffer[] = [];
    for (const [name, { key, clients }] of waiting) {
      if (batch.length === SETTLE_KEYS || this.#gate.stopped) break;
      waiting.delete(name);
      const inFlight = this.#inFlight.get(name);
      if (inFlight !== undefined) for (const client of clients) inFlight.add(client);
      else {
        this.#inFlight.set(name, clients);
        batch.push(key);
      }
    }
    if (batch.length === 0) return;
    route.running++;
    if (waiting.size > 0) this.#schedule(route);
    const left = new Set<MoveWaiter>();
    try {
      await this.#move(target, database, batch, 'settle', left);
    } catch (error) {
      this.#fail(error, false);
      // The clients ask again, or give up when they have waited too long.
      await this.#gate.sleep(RETRY_MS);
    }
    route.running--;
    resumeAll(left);
    if (waiting.size > 0) this.#schedule(route);
  }

  async #sweepSource(): Promise<void> {
    const source = this.#source;
    const { rings } = this.#options;
    for (let isWalked = false; !isWalked && !this.#progress.done && !this.#gate.stopped; ) {
      try {
        await sweepSource(source, rings, {
          ...this.#walkOf(source, (keys) => {
            this.#progress.keysScanned += keys;
          }),
          move: (target, database, keys) => this.#sweepBatches(target, database, keys),
        });
        for (const target of rings.targetsOf(source)) await this.#clearTarget(target);
        isWalked = true;
      } catch (error) {
        if (this.#progress.done) return;
        this.#fail(error, true);
        if (passes(error)) await this.#gate.sleep(RETRY_MS);
        await this.#gate.whilePaused();
      }
    }
  }

  /** A target that was restarted may have keys of the past, which the source does not have any more. */
  async #clearTarget(target: number): Promise<void> {
    if (this.#gate.stopped || !this.#links.wasRestarted(target, await this.#links.link(target, 'sweep'))) return;
    await walkNode(
      this.#walkOf(target, () => {}),
      (database, keys) =>
        this.#sweepBatches(target, database, movingBetween(this.#source, target, this.#options.rings, keys)),
    );
  }

  #walkOf(node: number, scanned: WalkHooks['scanned']): WalkHooks {
    return {
      link: () => this.#links.link(node, 'sweep'),
      scanKeys: () => this.#pace.scanKeys,
      scanned,
      goesOn: async () => {
        await this.#gate.whilePaused();
        return !this.#gate.stopped;
      },
    };
  }

  async #sweepBatches(target: number, database: number, keys: readonly Buffer[]): Promise<void> {
    let left: readonly Buffer[] = keys;
    while (left.length > 0) {
      while (!this.#gate.isOpenTo('sweep')) await this.#gate.nextWake();
      if (this.#gate.stopped) return;
      // Looked at behind every wait: clients settle keys meanwhile, and then write them at the target.
      const settled = left.filter((key) => this.#isKnownSettled(database, key));
      if (settled.length > 0) {
        if (await this.#unlinkStale(database, settled)) {
          const done = new Set(settled);
          left = left.filter((key) => !done.has(key));
        }
        continue;
      }
      // A key that is being settled is looked at again when that is over: it may have failed.
      const batch = left
        .slice(0, this.#pace.batchKeys)
        .filter((key) => !this.#inFlight.has(keyName(this.#source, database, key)));
      if (batch.length === 0) {
        await this.#gate.nextWake();
        continue;
      }
      const start = this.#timers.now();
      const waiting = new Set<MoveWaiter>();
      await this.#move(target, database, batch, 'sweep', waiting).finally(() => resumeAll(waiting));
      const done = new Set(batch);
      left = left.filter((key) => !done.has(key));
      const pause = this.#pace.after(batch.length, this.#timers.now() - start);
      if (pause > 0) await this.#gate.sleep(pause);
    }
  }

  #isKnownSettled(database: number, key: Buffer): boolean {
    return this.#memory.settled.has(this.#source, database, key, 0, key.length);
  }

  /**
   * A source that was restarted may have again what has left it.
   * @returns false when it was held meanwhile: nothing was done
   */
  async #unlinkStale(database: number, keys: readonly Buffer[]): Promise<boolean> {
    const link = await this.#links.link(this.#source, 'sweep');
    if (!this.#links.wasRestarted(this.#source, link)) return true;
    if (!this.#gate.isOpenTo('sweep') || this.#gate.stopped) return false;
    // Whoever holds the sweep waits for this as well: run late, it would remove what has come back.
    this.#sweeping++;
    await unlinkKeys(link, database, keys).finally(() => {
      this.#sweeping--;
      this.#gate.wakeAll();
    });
    return true;
  }

  /**
   * Moves keys that nobody else moves. Who waits for one goes on when that has arrived, whatever becomes of the others.
   * @param left is given those who wait for keys that have not arrived
   * @throws when these could not be moved
   */
  async #move(
    target: number,
    database: number,
    keys: readonly Buffer[],
    purpose: Purpose,
    left: Set<MoveWaiter>,
  ): Promise<void> {
    const source = this.#source;
    const names = keys.map((key) => keyName(source, database, key));
    for (const name of names) if (!this.#inFlight.has(name)) this.#inFlight.set(name, new Set());
    this.#looks.moves();
    if (purpose === 'sweep') this.#sweeping++;
    try {
      await this.#carrier.carry(source, target, database, keys, purpose);
    } catch (error) {
      // What was sent and not answered may still run: until the nodes have dropped it, the keys stay in flight.
      while (error instanceof NodeFailure && !this.#gate.stopped && !(await this.#dropLate())) {
        this.#fail(error, purpose === 'sweep');
        await this.#gate.sleep(RETRY_MS);
      }
      throw error;
    } finally {
      if (purpose === 'sweep') this.#sweeping--;
      for (const name of names) {
        for (const client of this.#inFlight.get(name) ?? []) left.add(client);
        this.#inFlight.delete(name);
      }
      this.#looks.moved();
      this.#gate.wakeAll();
    }
  }

  /** A key is where it goes. */
  #arrived(name: string): void {
    const waiting = this.#inFlight.get(name);
    if (waiting === undefined) return;
    this.#inFlight.delete(name);
    resumeAll(waiting);
  }

  #count(source: number, target: number, keys: number, bytes: number): void {
    this.#progress.keysMoved += keys;
    this.#bytesMoved += bytes;
    this.#options.onMoved(this.#links.at(source).name, this.#links.at(target).name, keys, bytes);
  }

  #markSwept(): void {
    this.#progress.done = true;
    this.#memory.settled.addSource(this.#source);
    this.#gate.wakeAll();
  }

  #fail(error: unknown, pauses: boolean): void {
    // Whoever has stopped it, or passes it over, cuts off what it still waits for.
    if (this.#progress.done || this.#gate.stopped) return;
    const why = error instanceof Error ? error.message : String(error);
    const { name, address } = this.#links.at(this.#source);
    this.#error = `moving keys off ${name} (${address}) failed: ${why}`;
    if (!pauses || this.#gate.paused || passes(error)) return;
    this.#gate.pause();
    this.#options.onFailure(this.#error);
  }

  async #dropLate(): Promise<boolean> {
    try {
      await this.#links.dropLate();
      return true;
    } catch {
      return false;
    }
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

/** Whether what has failed will go by itself: the node runs a script, or loads its data. */
function passes(error: unknown): boolean {
  return (error instanceof TransferRefused || error instanceof NodeFailure) && error.passes;
}
