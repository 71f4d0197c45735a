/**
 * Sweeps the source of a mover: takes each step of the walk until it works, moves what the walk finds by the pace and as the
 * gate allows, and passes over what clients have had moved meanwhile. Then removes from targets that were restarted what
 * they have of the past.
 */
import { type MoveWaiter, resumeAll } from '../proxy/key-moves.js';
import type { Rings } from '../ring/rings.js';
import type { Timers } from '../time/timers.js';
import { keyName } from './key-name.js';
import type { KeysInFlight } from './keys-in-flight.js';
import type { MoveGate } from './move-gate.js';
import type { MoveMemory } from './move-memory.js';
import type { MovingNodes } from './moving-nodes.js';
import type { Pace } from './pace.js';
import { movingBetween, sweepSource, type WalkHooks, walkNode } from './sweep.js';
import type { MoveTrouble } from './trouble.js';
import { unlinkKeys } from './unlink.js';

/** What the sweep of a source shares with its mover. */
export interface SweeperParts {
  readonly source: number;
  readonly rings: Rings;
  readonly memory: MoveMemory;
  readonly links: MovingNodes;
  readonly gate: MoveGate;
  readonly pace: Pace;
  /** Keys of the source that are on their way, also those of clients. */
  readonly inFlight: KeysInFlight;
  readonly trouble: MoveTrouble;
  readonly timers: Pick<Timers, 'now'>;
}

export interface SweeperPorts {
  /**
   * Moves keys that nobody else moves.
   * @param left is given those who wait for keys that have not arrived
   * @returns false when it was given up: some are where they were
   * @throws when these could not be moved
   */
  move(target: number, database: number, keys: readonly Buffer[], left: Set<MoveWaiter>): Promise<boolean>;
  /** A step has failed. @returns milliseconds until it may be tried again */
  failed(error: unknown): number;
  /** So many keys more were looked at. */
  scanned(keys: number): void;
  /** Whether nothing of the sweep is to begin any more. */
  isOver(): boolean;
}

export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #ports: SweeperPorts;
  #underWay = 0;

  constructor(parts: SweeperParts, ports: SweeperPorts) {
    this.#parts = parts;
    this.#ports = ports;
  }

  /** Batches that are on their way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Walks the source to its end, and behind that the targets that were restarted; or until the sweep is over. */
  async run(): Promise<void> {
    const { source, rings } = this.#parts;
    await sweepSource(source, rings, {
      ...this.#walkOf(source, (keys) => this.#ports.scanned(keys)),
      batchKeys: () => this.#parts.pace.batchKeys,
      move: (target, database, keys, waits) => this.#sweepBatches(target, database, keys, waits),
    });
    for (const target of rings.targetsOf(source)) await this.#clearTarget(target);
  }

  /** Takes a step of the sweep until it works. @returns null when the sweep was ended before */
  async #persist<T>(step: () => Promise<T>): Promise<T | null> {
    const { gate, trouble } = this.#parts;
    while (!this.#ports.isOver()) {
      try {
        const taken = await step();
        trouble.sweepWorked();
        return taken;
      } catch (error) {
        const pause = this.#ports.failed(error);
        await gate.rest(pause, () => !trouble.sweepFails || this.#ports.isOver());
        await gate.whilePaused();
      }
    }
    return null;
  }

  /** A target that was restarted may have keys of the past, which the source does not have any more. */
  async #clearTarget(target: number): Promise<void> {
    const { source, rings, links } = this.#parts;
    const link = await this.#persist(() => links.link(target, 'sweep'));
    if (link === null || !links.wasRestarted(target, link)) return;
    await walkNode(
      this.#walkOf(target, () => {}),
      async (database, keys) => {
        await this.#sweepBatches(target, database, movingBetween(source, target, rings, keys));
      },
    );
  }

  #walkOf(node: number, scanned: WalkHooks['scanned']): WalkHooks {
    return {
      link: () => this.#parts.links.link(node, 'sweep'),
      scanKeys: () => this.#parts.pace.scanKeys,
      scanned,
      goesOn: async () => {
        await this.#parts.gate.whilePaused();
        return !this.#ports.isOver();
      },
      persist: (step) => this.#persist(step),
    };
  }

  /** As `SweepHooks.move`. */
  async #sweepBatches(
    target: number,
    database: number,
    keys: readonly Buffer[],
    waits = true,
  ): Promise<readonly Buffer[]> {
    for (let left: readonly Buffer[] | null = keys; left !== null && left.length > 0; ) {
      const rest: readonly Buffer[] = left;
      if (!waits && rest.every((key) => this.#isInFlight(database, key))) return rest;
      left = await this.#persist(() => this.#sweepBatch(target, database, rest));
    }
    return [];
  }

  #isInFlight(database: number, key: Buffer): boolean {
    const { source, inFlight } = this.#parts;
    return inFlight.size > 0 && inFlight.has(keyName(source, database, key));
  }

  /**
   * Moves some of the keys.
   * @returns those that are left, of which clients may have settled some
   * @throws when they could not be moved
   */
  async #sweepBatch(target: number, database: number, keys: readonly Buffer[]): Promise<readonly Buffer[]> {
    const { gate, pace, inFlight, timers } = this.#parts;
    for (;;) {
      while (!gate.isOpenTo('sweep') && !this.#ports.isOver()) await gate.nextWake();
      if (this.#ports.isOver()) return [];
      // Looked at behind every wait: clients settle keys meanwhile, and then write them at the target.
      const settled = keys.filter((key) => this.#isKnownSettled(database, key));
      if (settled.length > 0) {
        if (!(await this.#unlinkStale(database, settled))) continue;
        return without(keys, settled);
      }
      // A key that is being settled is looked at again when that is over: it may have failed.
      const next = keys.slice(0, pace.batchKeys);
      const batch = inFlight.size === 0 ? next : next.filter((key) => !this.#isInFlight(database, key));
      if (batch.length === 0) {
        await gate.nextWake();
        continue;
      }
      const start = timers.now();
      const waiting = new Set<MoveWaiter>();
      const move = (): Promise<boolean> => this.#ports.move(target, database, batch, waiting);
      const isDone = await this.#counted(move).finally(() => resumeAll(waiting));
      // Those of the batch that have moved are settled by now.
      if (!isDone) continue;
      const pause = pace.after(batch.length, timers.now() - start);
      if (pause > 0) await gate.sleep(pause);
      return without(keys, batch);
    }
  }

  #isKnownSettled(database: number, key: Buffer): boolean {
    const { source, memory } = this.#parts;
    return memory.settled.has(source, database, key, 0, key.length);
  }

  /**
   * A source that was restarted may have again what has left it.
   * @returns false when it was held meanwhile: nothing was done
   */
  async #unlinkStale(database: number, keys: readonly Buffer[]): Promise<boolean> {
    const { source, links, gate } = this.#parts;
    const link = await links.link(source, 'sweep');
    if (!links.wasRestarted(source, link)) return true;
    if (!gate.isOpenTo('sweep') || gate.stopped) return false;
    // Whoever holds the sweep waits for this as well: run late, it would remove what has come back.
    await this.#counted(() => unlinkKeys(link, database, keys));
    return true;
  }

  /** Whoever holds the sweep waits until this is over. */
  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#parts.gate.wakeAll();
    }
  }
}

/** @returns the keys without those, which are some of them */
function without(keys: readonly Buffer[], taken: readonly Buffer[]): Buffer[] {
  const gone = new Set(taken);
  return keys.filter((key) => !gone.has(key));
}
