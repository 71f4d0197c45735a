/**
 * Moves keys from one node that loses them to the nodes that get them. Each source of a change has one mover at a time, in
 * whichever proxy.
 *
 * Two ask for moves: clients whose next command is on a moved key (`settle`), and the sweep, which walks the
 * source (`sweeper.ts`). Both go through `#move`, which takes care that a key is moved by one of them at a time: a key in
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
import { KeysInFlight } from './keys-in-flight.js';
import type { Looks } from './looks.js';
import type { MigrateTurns } from './migrate-turns.js';
import { MoveGate, type Purpose } from './move-gate.js';
import type { MoveMemory } from './move-memory.js';
import { type MoverNode, MovingNodes, type MovingNodesOptions, type RunIds } from './moving-nodes.js';
import { Pace } from './pace.js';
import { MoveGivenUp } from './pieces/large-move.js';
import { Settles } from './settles.js';
import { Sweeper } from './sweeper.js';
import { MoveTrouble, PATIENCE_MS } from './trouble.js';

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
  /** How long the sweep tries what a network may have brought to fail, in milliseconds. Default: `PATIENCE_MS`. */
  readonly patience?: number;
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

/** What has failed for a client, or cannot be told, is tried again after this long. */
const RETRY_MS = 100;

export class Mover {
  readonly #options: MoverOptions;
  readonly #source: number;
  readonly #memory: MoveMemory;
  readonly #looks: Looks;
  readonly #links: MovingNodes;
  readonly #pace: Pace;
  readonly #progress: { -readonly [Field in keyof SourceProgress]: SourceProgress[Field] };
  readonly #settles: Settles;
  readonly #sweeper: Sweeper;
  readonly #inFlight = new KeysInFlight();
  readonly #running = new Set<Promise<unknown>>();
  readonly #carrier: Carrier;
  readonly #gate: MoveGate;
  #bytesMoved = 0;
  readonly #trouble: MoveTrouble;

  constructor(options: MoverOptions) {
    const { nodes, source, memory, looks, turns, timers = systemTimers, patience = PATIENCE_MS } = options;
    this.#options = options;
    this.#source = source;
    this.#memory = memory;
    this.#looks = looks;
    this.#gate = new MoveGate(timers, looks);
    this.#links = new MovingNodes(nodes, options.runIds, options.link);
    this.#settles = new Settles(source, this.#gate, this.#inFlight, {
      move: async (target, database, keys, left) => {
        await this.#move(target, database, keys, 'settle', left);
      },
      onFailure: (target, error) => this.#settleFailed(target, error),
      track: (work) => this.#track(work),
    });
    this.#pace = new Pace(options.isBusy, options.sweeping, timers);
    const { name: node, address } = this.#links.at(source);
    this.#trouble = new MoveTrouble(`moving keys off ${node} (${address}) failed`, patience, timers);
    this.#progress = { node, done: false, keysMoved: 0, keysScanned: 0, largeKey: null };
    const { rings } = options;
    this.#sweeper = new Sweeper(
      {
        ...{ source, rings, memory, timers },
        ...{ links: this.#links, gate: this.#gate, pace: this.#pace, inFlight: this.#inFlight, trouble: this.#trouble },
      },
      {
        move: (target, database, keys, left) => this.#move(target, database, keys, 'sweep', left),
        failed: (error) => this.#sweepFailed(error),
        scanned: (keys) => {
          this.#progress.keysScanned += keys;
        },
        isOver: () => this.#isOver,
      },
    );
    this.#carrier = new Carrier(this.#links, memory, turns, {
      onMoved: (from, to, keys, bytes) => this.#count(from, to, keys, bytes),
      onArrived: (_source, database, keys) => {
        for (const key of keys) this.#arrived(keyName(source, database, key));
      },
      onDropped: options.onDropped,
      goesOn: (purpose) => this.#gate.goesOnWith(purpose),
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
    return this.#trouble.message;
  }

  /** Moves the key to `target`, and then resumes the client. Asking again for the same key does no harm. */
  settle(target: number, database: number, key: Buffer, client: MoveWaiter): void {
    this.#settles.ask(target, database, key, client);
  }

  /** The source has answered that it does not have the key: from now on it counts as settled. */
  noteGone(database: number, key: Buffer): void {
    this.#memory.settled.add(this.#source, database, key);
  }

  /** The run id of a node's process as it was at the fence; empty: it is not known. */
  runIdOf(node: number): string {
    return this.#links.runIdOf(node);
  }

  /** Nothing is moved off this source any more: what it held is given up. */
  giveUp(): void {
    this.#markSwept();
  }

  /** These nodes are given up, as long as no others are named: nothing waits for what may lie there. */
  forget(nodes: readonly number[]): void {
    this.#links.forget(nodes);
  }

  /** Walks the source until it has no moved key any more. */
  async sweep(): Promise<void> {
    this.#openLinks();
    await this.#track(this.#sweeper.run());
    // A key that failed to settle, and a connection that failed with commands in flight, must not be left behind.
    do {
      while (this.#inFlight.size > 0 && !this.#gate.stopped) await this.#gate.nextWake();
      await this.#dropLate((error) => this.#sweepFailed(error));
      this.#trouble.sweepWorked();
    } while (this.#inFlight.size > 0 && !this.#gate.stopped);
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
    const underWay = (): number => this.#sweeper.underWay + (what === 'sweep' ? 0 : this.#inFlight.size);
    return this.#gate.until(() => underWay() === 0, timeout);
  }

  release(): void {
    this.#gate.release();
  }

  pause(): void {
    this.#gate.pause();
  }

  resume(): void {
    this.#trouble.forget();
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
    this.#settles.giveUp();
    for (const clients of this.#inFlight.waiters()) resumeAll(clients);
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

  /** Whether nothing of the sweep is to begin any more. */
  get #isOver(): boolean {
    return this.#gate.stopped || this.#progress.done;
  }

  /**
   * Moves keys that nobody else moves. Who waits for one goes on when that has arrived, whatever becomes of the others.
   * @param left is given those who wait for keys that have not arrived, or have with the last of the others
   * @returns false when the move of a large one was given up: some are where they were
   * @throws when these could not be moved
   */
  async #move(
    target: number,
    database: number,
    keys: readonly Buffer[],
    purpose: Purpose,
    left: Set<MoveWaiter>,
  ): Promise<boolean> {
    const source = this.#source;
    const names = keys.map((key) => keyName(source, database, key));
    for (const name of names) this.#inFlight.begin(name);
    this.#looks.moves();
    try {
      await this.#carrier.carry(source, target, database, keys, purpose);
      this.#trouble.arrived(target);
      return true;
    } catch (error) {
      // It is where it was: whoever waits for it asks again, and the sweep comes to it again.
      if (error instanceof MoveGivenUp) return false;
      // What was sent and not answered may still run: until the nodes have dropped it, the keys stay in flight.
      if (error instanceof NodeFailure) {
        await this.#dropLate((why) => (purpose === 'sweep' ? this.#sweepFailed(why) : this.#settleFailed(target, why)));
      }
      throw error;
    } finally {
      for (const name of names) {
        const clients = this.#inFlight.end(name);
        if (clients !== null) for (const client of clients) left.add(client);
      }
      this.#looks.moved();
      this.#gate.wakeAll();
    }
  }

  /** A key is where it goes. */
  #arrived(name: string): void {
    const waiting = this.#inFlight.end(name);
    if (waiting !== null) resumeAll(waiting);
  }

  #count(source: number, target: number, keys: number, bytes: number): void {
    this.#progress.keysMoved += keys;
    this.#bytesMoved += bytes;
    this.#trouble.arrived(target);
    this.#options.onMoved(this.#links.nameOf(source), this.#links.nameOf(target), keys, bytes);
  }

  #markSwept(): void {
    this.#progress.done = true;
    this.#memory.settled.addSource(this.#source);
    this.#gate.wakeAll();
  }

  /** @returns milliseconds until it may be tried again */
  #sweepFailed(error: unknown): number {
    // Whoever has stopped it, or passes it over, cuts off what it still waits for.
    if (this.#isOver) return RETRY_MS;
    const { pause, needsPerson } = this.#trouble.sweepFailed(error);
    if (needsPerson && !this.#gate.paused) {
      this.#gate.pause();
      this.#options.onFailure(this.#trouble.message ?? '');
    }
    return pause;
  }

  /** @returns milliseconds until it may be tried again */
  #settleFailed(target: number, error: unknown): number {
    if (!this.#isOver) this.#trouble.settleFailed(target, error);
    return RETRY_MS;
  }

  /**
   * Tries until the nodes have dropped what may still lie there, or all is stopped.
   * @param failed is told each time that one cannot be asked; gives milliseconds until it may be tried again
   */
  async #dropLate(failed: (error: unknown) => number): Promise<void> {
    while (!this.#gate.stopped) {
      try {
        await this.#links.dropLate();
        return;
      } catch (error) {
        await this.#gate.rest(failed(error), () => false);
      }
    }
  }

  /** `stop` waits for it. */
  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}
