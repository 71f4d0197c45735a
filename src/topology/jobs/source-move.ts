/** Moving the keys of one source of a change, from the claim to it until that is lost or let go. */
import { sameNode } from '../../node/identity.js';
import type { Mover, SourceProgress } from '../../rebalance/mover.js';
import type { SourceMoves } from '../../rebalance/moves/change-moves.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Claim, MoveRecord } from '../state/fleet.js';
import { emptyRecord, runIdIn } from '../state/move-records.js';
import type { Member, NodeProcess } from '../state/ring-state.js';
import type { Written } from '../store/ring-store.js';
import { MoveNotes } from './move-notes.js';
import type { Steering } from './steering.js';

/** What moves the keys of a source, as a job needs it. */
export type SourceMover = Pick<Mover, keyof Mover>;

export interface SourceMovePorts {
  /** Of the nodes of the change. */
  readonly nodes: readonly Member[];
  /** As they were at the fence. */
  readonly processes: readonly NodeProcess[];
  /** Why it waits, or null: for nothing any more. */
  onWait(failure: string | null): void;
  /** Tells how far the source is. */
  note(record: MoveRecord): Promise<Written>;
  /** Makes what moves the keys; from now on it is asked for keys. */
  create(runIds: readonly string[], callbacks: SourceMoveCallbacks): SourceMover;
  /** What is wanted now. */
  steering(): Steering;
}

export interface SourceMoveCallbacks {
  /** A node answers that could not be asked at the fence. When it has settled, that is recorded. */
  onFirstSeen(index: number, runId: string): Promise<void>;
  onSwept(): Promise<boolean>;
  onDropped(keys: number): void;
}

export class SourceMove implements SourceMoves {
  readonly index: number;
  readonly claim: Claim;
  readonly #ports: SourceMovePorts;
  /** What its predecessor has told. */
  readonly #before: MoveRecord;
  readonly #notes: MoveNotes;
  #mover: SourceMover | null = null;
  #isSwept = false;
  #dropped = 0;
  #processes: readonly NodeProcess[];

  /** @param before what was told of this source, or null */
  constructor(
    index: number,
    claim: Claim,
    before: MoveRecord | null,
    ports: SourceMovePorts,
    timers: Timers = systemTimers,
  ) {
    this.index = index;
    this.claim = claim;
    this.#ports = ports;
    this.#before = before ?? emptyRecord(ports.nodes[index]?.name ?? '');
    this.#processes = this.#before.processes;
    this.#notes = new MoveNotes(
      {
        record: () => this.record,
        write: (record) => ports.note(record),
        onFailure: (failure) => ports.onWait(failure === null ? null : `cannot record how far it is: ${failure}`),
      },
      timers,
    );
  }

  /** Null before its first key may move. */
  get mover(): SourceMover | null {
    return this.#mover;
  }

  get record(): MoveRecord {
    const before = this.#before;
    const progress = this.#mover?.progress;
    return {
      ...before,
      swept: this.#isSwept,
      keysMoved: before.keysMoved + (progress?.keysMoved ?? 0),
      // It walks the source from the start.
      keysScanned: progress?.keysScanned ?? 0,
      bytesMoved: before.bytesMoved + (this.#mover?.bytesMoved ?? 0),
      keysDropped: before.keysDropped + this.#dropped,
      largeKey: progress?.largeKey ?? null,
      processes: this.#processes,
      error: this.#mover?.error ?? null,
      paused: this.#mover?.paused ?? false,
    };
  }

  get progress(): SourceProgress {
    const { source, swept, keysMoved, keysScanned, largeKey } = this.record;
    return { node: source, done: swept, keysMoved, keysScanned, largeKey };
  }

  /**
   * Begins to move keys. Before the first one that is told: whoever comes later knows that some may have moved.
   * @param free waits until nothing of a predecessor can run any more; false: it was ended before
   * @returns false when the claim is not in force any more, or it was ended
   */
  async begin(free: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
    if (!(await this.#notes.write()) || !(await free()) || signal.aborted) return false;
    const { nodes, processes } = this.#ports;
    const runIds = nodes.map((node) => runIdIn(node, processes) || runIdIn(node, this.#processes));
    const mover = this.#ports.create(runIds, {
      onFirstSeen: (index, runId) => this.#seen(index, runId),
      onSwept: () => this.#swept(),
      onDropped: (keys) => {
        this.#dropped += keys;
      },
    });
    this.#mover = mover;
    this.#notes.start();
    const { keysPerSecond, paused, held } = this.#ports.steering();
    mover.throttle(keysPerSecond);
    if (paused) mover.pause();
    if (held !== null) void mover.hold(held, 0);
    return true;
  }

  settle(...key: Parameters<SourceMover['settle']>): void {
    this.#mover?.settle(...key);
  }

  noteGone(database: number, key: Buffer): void {
    this.#mover?.noteGone(database, key);
  }

  /** Not by itself: what moves keys in one process holds still as one. */
  hold(): Promise<null> {
    return Promise.resolve(null);
  }

  /** Tells now how far it is, if that can be. */
  async tell(): Promise<void> {
    await this.#notes.write().catch(() => {});
  }

  /** Commands of it may still lie at nodes: once it has ended, it cannot have them dropped itself. */
  get leavesLate(): boolean {
    return this.#mover?.leavesLate ?? false;
  }

  /** Moves nothing any more. @returns when nothing of it is under way */
  async halt(): Promise<void> {
    await this.#mover?.stop();
  }

  /** To follow `halt`: tells how far it has come, if that can be. */
  async close(): Promise<void> {
    await this.#notes.stop();
  }

  /** Should the claim be lost, whoever has it now sweeps again. */
  #swept(): Promise<boolean> {
    this.#isSwept = true;
    return this.#notes.writeAtLast();
  }

  async #seen(index: number, runId: string): Promise<void> {
    const node = this.#ports.nodes[index];
    if (node === undefined) return;
    const { name, address } = node;
    const others = this.#processes.filter((process) => !sameNode(process, node));
    this.#processes = [...others, { name, address, runId }];
    if (!(await this.#notes.write())) throw new Error(`another proxy moves the keys of ${this.#before.source}`);
  }
}
