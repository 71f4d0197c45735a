/**
 * Moving the keys of one change: the job of each source that loses keys, which this proxy has claimed. It lasts until
 * every source is swept, or the change is turned round.
 */

import { sameNode } from '../../node/identity.js';
import type { KeyMoves } from '../../proxy/key-moves.js';
import type { MoveMemory } from '../../rebalance/move-memory.js';
import type { Mover, SourceProgress } from '../../rebalance/mover.js';
import type { Rings } from '../../ring/rings.js';
import type { ChangeRings } from '../change-rings.js';
import { SETTLE_STOP_MS, SWEEP_STOP_MS } from '../fence-times.js';
import type { FenceMember } from '../state/change-protocol.js';
import type { Claim } from '../state/fleet.js';
import type { Member, RunningChange } from '../state/ring-state.js';
import { type ClaimRecords, moverJob } from '../store/ring-store.js';

/** What moves keys, as a job needs it. */
export type ChangeMover = Pick<Mover, keyof Mover>;

/** What the mover of a change starts from. */
export interface MoverStart {
  /** Of the nodes' processes at the fence; empty where it is not known. */
  readonly runIds: readonly string[];
  /** What the mover of the change knows that this one turns round; null: it turns none round. */
  readonly earlier: MoveMemory | null;
  /** A proxy before this one has moved keys of this change. */
  readonly resumed: boolean;
}

export interface MoverCallbacks {
  /** A node answers that could not be asked at the fence. When it has settled, that is recorded. */
  onFirstSeen(index: number, runId: string): Promise<void>;
  onFailure(message: string): void;
  onSwept(): void;
  /** So many keys were given up. */
  onDropped(keys: number): void;
  onMoved(source: string, target: string, keys: number, bytes: number): void;
}

export type CreateMover = (
  nodes: readonly Member[],
  rings: Rings,
  start: MoverStart,
  callbacks: MoverCallbacks,
) => ChangeMover;

export interface MoveJobPorts {
  readonly proxyId: string;
  readonly claims: ClaimRecords;
  readonly createMover: CreateMover;
  onFirstSeen(job: MoveJob, index: number, runId: string): Promise<void>;
  onSwept(job: MoveJob): void;
  onDropped(job: MoveJob): void;
  onMoved(source: string, target: string, keys: number, bytes: number): void;
  warn(message: string): void;
}

/** How far a job is. */
export interface MoveStatus {
  readonly paused: boolean;
  readonly sources: readonly (SourceProgress & { readonly owner: string })[];
  readonly bytesMoved: number;
  /** At most; 0: no limit. */
  readonly keysPerSecond: number;
  readonly keysDropped: number;
  /** Of the nodes that lose keys, when the job began. */
  readonly keysEstimated: number;
  /** Why it cannot go on, or null. */
  readonly error: string | null;
}

export class MoveJob {
  readonly rings: ChangeRings;
  #change: RunningChange;
  readonly #ports: MoveJobPorts;
  /** By the source's name. */
  readonly #claims = new Map<string, Claim>();
  #mover: ChangeMover | null = null;
  #keysEstimated = 0;
  #keysDropped: number;
  #stopping: Promise<void> | null = null;
  /** Why the change cannot go on, where it is not the mover that says so; or null. */
  failure: string | null = null;

  /** @param change as it stands now */
  constructor(change: RunningChange, rings: ChangeRings, ports: MoveJobPorts) {
    this.#change = change;
    this.rings = rings;
    this.#ports = ports;
    this.#keysDropped = change.keysDropped ?? 0;
  }

  get changeId(): string {
    return this.#change.id;
  }

  /** Null before keys move, while it is not known yet that nothing of a predecessor runs any more. */
  get mover(): ChangeMover | null {
    return this.#mover;
  }

  get moves(): KeyMoves | null {
    return this.#mover;
  }

  /** In all turns of the change. */
  get keysDropped(): number {
    return this.#keysDropped;
  }

  get keysMoved(): number {
    return this.#mover?.progress.reduce((sum, source) => sum + source.keysMoved, 0) ?? 0;
  }

  get status(): MoveStatus {
    const mover = this.#mover;
    return {
      paused: mover?.paused ?? false,
      sources: (mover?.progress ?? []).map((source) => ({
        ...source,
        owner: this.#claims.get(source.node)?.holder ?? '',
      })),
      bytesMoved: mover?.bytesMoved ?? 0,
      keysPerSecond: mover?.keysPerSecond ?? this.#change.throttle ?? 0,
      keysDropped: this.#keysDropped,
      keysEstimated: this.#keysEstimated,
      error: this.failure ?? mover?.error ?? null,
    };
  }

  /**
   * Claims the sources, and makes what moves their keys. No key moves before `sweep`, or before it is asked for.
   * @param earlier the memory of the job whose change this one turns round, or null
   * @param keysEstimated that the sources have now
   * @throws Error when another proxy has a source
   */
  async begin(earlier: MoveMemory | null, resumed: boolean, keysEstimated: number): Promise<void> {
    const { claims, proxyId, createMover, warn } = this.#ports;
    const { union, rings } = this.rings;
    for (const index of rings.sources()) {
      const source = union[index]?.name ?? '';
      const claim = await claims.claim(moverJob(source), proxyId, 'quick');
      if (claim === null) throw new Error(`another proxy moves the keys of ${source}`);
      this.#claims.set(source, claim);
    }
    const { processes, throttle, undrained } = this.#change;
    const runIds = union.map((node) => processes.find((process) => sameNode(process, node))?.runId ?? '');
    const mover = createMover(
      union,
      rings,
      { runIds, earlier, resumed },
      {
        onFirstSeen: (index, runId) => this.#ports.onFirstSeen(this, index, runId),
        onFailure: (message) => warn(`${message}; the change is paused: mend it, then ringproxy ring resume`),
        onSwept: () => this.#ports.onSwept(this),
        onDropped: (keys) => {
          this.#keysDropped += keys;
          this.#ports.onDropped(this);
        },
        onMoved: (...moved) => this.#ports.onMoved(...moved),
      },
    );
    mover.throttle(throttle ?? 0);
    mover.giveUp(this.#indices(undrained));
    if (this.#change.paused === true) mover.pause();
    this.#keysEstimated = keysEstimated;
    this.#mover = mover;
  }

  /** Does what was noted with the change since it was looked at last. */
  follow(change: RunningChange): void {
    const before = this.#change;
    this.#change = change;
    const mover = this.#mover;
    if (mover === null) return;
    if (change.throttle !== before.throttle) mover.throttle(change.throttle ?? 0);
    mover.giveUp(this.#indices(change.undrained.filter((name) => !before.undrained.includes(name))));
    if (change.paused === true) mover.pause();
    else if (before.paused === true || (change.resumes ?? 0) > (before.resumes ?? 0)) mover.resume();
    if (!this.#mustHold) mover.release();
  }

  /** Holds still, since the change may be turned round. @returns whether it does */
  async hold(): Promise<FenceMember> {
    const mover = this.#mover;
    // What its predecessor has moved is not known: it could not be moved back.
    if (mover === null) return { acknowledged: false, why: this.failure ?? 'keys do not move here yet' };
    const isStill = await mover.hold(SWEEP_STOP_MS, SETTLE_STOP_MS);
    // It may have been decided meanwhile.
    if (!this.#mustHold) mover.release();
    if (isStill) return { acknowledged: true, why: '' };
    return { acknowledged: false, why: mover.error ?? 'keys are under way that do not arrive' };
  }

  get #mustHold(): boolean {
    return this.#change.still === true || this.#change.phase === 'turning';
  }

  #indices(names: readonly string[]): number[] {
    return this.rings.union.flatMap((node, index) => (names.includes(node.name) ? [index] : []));
  }

  /** Ends it, and waits until nothing of it is under way. What others wait for, they ask anew. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#mover?.stop();
    for (const claim of this.#claims.values()) await this.#ports.claims.release(claim);
  }
}
