/**
 * What this proxy moves of a change: a move for each source that it has the claim of. They follow what is wanted of the
 * change, and hold still as one.
 */
import { messageOf } from '../../errors.js';
import type { FenceMember } from '../state/change-protocol.js';
import type { Claim } from '../state/fleet.js';
import type { Member } from '../state/ring-state.js';
import { type DropEarlier, EndedMoves } from './ended-moves.js';
import type { SourceMove, SourceMover } from './source-move.js';
import type { Steering } from './steering.js';

export interface OwnMovesPorts {
  /** The nodes of the change without those that were given up. */
  reachable(): readonly Member[];
  readonly dropEarlier: DropEarlier;
  isInForce(claim: Claim): Promise<boolean>;
  /** What is remembered of the source here is not all that has moved. */
  share(source: number): void;
  /** Why the change cannot go on, or null. */
  error(): string | null;
}

export class OwnMoves {
  readonly #ports: OwnMovesPorts;
  readonly #bySource = new Map<number, SourceMove>();
  /** What this proxy has moved, and may not move any more. */
  readonly #ended = new EndedMoves();

  constructor(ports: OwnMovesPorts) {
    this.#ports = ports;
  }

  /** Null: this proxy does not move the source's keys. */
  of(source: number): SourceMove | null {
    return this.#bySource.get(source) ?? null;
  }

  /** Of some source keys may move. */
  get areMoving(): boolean {
    return this.#movers.length > 0;
  }

  add(move: SourceMove): void {
    this.#bySource.set(move.index, move);
  }

  /** Ends a move, which is to be removed. @returns when nothing of it is under way here any more */
  end(move: SourceMove): Promise<void> {
    return this.#ended.end(move);
  }

  /** @returns false when another one has taken its place */
  remove(move: SourceMove): boolean {
    return this.#bySource.get(move.index) === move && this.#bySource.delete(move.index);
  }

  /** @param resumes what has failed is tried again */
  steer({ paused, keysPerSecond, held }: Steering, resumes: boolean): void {
    for (const move of this.#bySource.values()) {
      const { mover } = move;
      if (mover === null) continue;
      if (mover.keysPerSecond !== keysPerSecond) mover.throttle(keysPerSecond);
      if (paused) mover.pause();
      else if (resumes) mover.resume();
      if (held === null) mover.release();
      else void mover.hold(held, 0);
      if (resumes) void move.tell();
    }
  }

  /** @param gone what is not spoken to any more @param forGood those of them whose keys are given up, and not only if a fence is passed */
  giveUp(gone: readonly number[], forGood: readonly number[]): void {
    for (const { index, mover } of this.#bySource.values()) {
      mover?.forget(gone);
      if (forGood.includes(index)) mover?.giveUp();
    }
  }

  /** Waits until no sweep has keys under way; none begins as long as the record wants it so. @param timeout milliseconds */
  async still(timeout: number): Promise<FenceMember> {
    const isHeld = this.#all((mover) => mover.hold('sweep', timeout));
    const isStill = (await this.#ended.areOver(timeout)) && (await isHeld);
    // Whoever turns the change round counts what was given up until now.
    await Promise.all([...this.#bySource.values()].map((move) => move.tell()));
    return answer(isStill, 'keys are under way that do not arrive');
  }

  /**
   * Waits until this proxy moves nothing, and the nodes have dropped what may still lie there; nothing begins as long as the
   * record wants it so.
   * @param timeout milliseconds
   */
  async standstill(timeout: number): Promise<FenceMember> {
    const { reachable, dropEarlier, error } = this.#ports;
    const refused = (): FenceMember => answer(false, error() ?? 'keys are under way that do not arrive');
    if (!(await this.#all((mover) => mover.hold('all', timeout)))) return refused();
    try {
      for (const { mover } of this.#bySource.values()) await mover?.dropLateConnections();
      // Those that have lost their claims, also while it was waited for the others.
      if (!(await this.#ended.areOver(timeout))) return refused();
      await this.#ended.dropLate(reachable(), dropEarlier);
      await this.#shareLost();
      return answer(true, '');
    } catch (failure) {
      return answer(false, messageOf(failure));
    }
  }

  /** A claim may have passed to another proxy and back: what is remembered of such a source is not all that has moved. */
  async #shareLost(): Promise<void> {
    const { isInForce, share } = this.#ports;
    for (const { index, claim } of this.#bySource.values()) {
      if (!(await isInForce(claim))) share(index);
    }
  }

  /** Those that may move keys by now. */
  get #movers(): SourceMover[] {
    return [...this.#bySource.values()].flatMap(({ mover }) => (mover === null ? [] : [mover]));
  }

  async #all(work: (mover: SourceMover) => Promise<boolean>): Promise<boolean> {
    return (await Promise.all(this.#movers.map(work))).every((isDone) => isDone);
  }
}

function answer(acknowledged: boolean, why: string): FenceMember {
  return { acknowledged, why: acknowledged ? '' : why };
}
