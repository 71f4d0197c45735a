/** The coordinator's pen: what it records is a step from what is recorded, by its claim. */
import { RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { type Claim, isInForce, type Revision } from '../state/fleet.js';
import type { RingState } from '../state/ring-state.js';
import type { ClaimRecords, RingRecords } from '../store/ring-store.js';
import { changeRunning, decidesNoMore } from './refusals.js';

const RETRY_MS = 500;
const MOST_TRIES = 3;

export type RecorderStore = Pick<RingRecords, 'load' | 'compareAndSave'> & Pick<ClaimRecords, 'claims'>;

export class Recorder {
  readonly #store: RecorderStore;
  readonly #claim: Claim;
  readonly #timers: Pick<Timers, 'after'>;
  /** Steps go one after the other: each is taken from what the one before has made. */
  #recording: Promise<unknown> = Promise.resolve();
  #isOver = false;
  /** Those that are to try again. */
  readonly #waiting = new Set<() => void>();

  /** @param claim to coordinate */
  constructor(store: RecorderStore, claim: Claim, timers: Pick<Timers, 'after'> = systemTimers) {
    this.#store = store;
    this.#claim = claim;
    this.#timers = timers;
  }

  /** The claim is not in force any more, or was let go: nothing more is recorded. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * @param step pure; null stands for the ring that is not recorded yet. What it gives back as it was is not recorded
   * @returns the revision of what is recorded now
   * @throws RingproxyError when it may not have been recorded; COORDINATOR_LOST: another proxy decides about the ring
   */
  record(step: (state: RingState | null) => RingState): Promise<Revision> {
    const recorded = this.#recording.catch(() => {}).then(() => this.#record(step));
    this.#recording = recorded;
    recorded.catch(() => {});
    return recorded;
  }

  /** The same for a ring that is recorded. */
  change(step: (state: RingState) => RingState): Promise<Revision> {
    return this.record((state) => {
      if (state === null) throw new RingproxyError('NOT_READY', 'etcd has no ring');
      return step(state);
    });
  }

  /**
   * Tries again until it is recorded.
   * @param onFailure told each time that it is not
   * @returns null when this proxy decided no more before
   */
  async changeAtLast(
    step: (state: RingState) => RingState,
    onFailure: (error: unknown) => void,
  ): Promise<Revision | null> {
    while (!this.#isOver) {
      try {
        return await this.change(step);
      } catch (error) {
        // `record` has said that it is over.
        if (this.#isOver) break;
        onFailure(error);
        await this.#pause();
      }
    }
    return null;
  }

  /** What whoever has asked for what was under way is told when it is over. */
  async lost(): Promise<RingproxyError> {
    const successor = await this.#successor().catch(() => null);
    return decidesNoMore(successor === this.#claim.holder ? null : successor);
  }

  /** The claim is lost, or let go. */
  close(): void {
    this.#isOver = true;
    for (const wake of this.#waiting) wake();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        takeBack();
        resolve();
      };
      const takeBack = this.#timers.after(RETRY_MS, wake);
      this.#waiting.add(wake);
    });
  }

  async #record(step: (state: RingState | null) => RingState): Promise<Revision> {
    for (let tries = MOST_TRIES; tries > 0; tries--) {
      if (this.#isOver) throw await this.lost();
      const stored = await this.#store.load();
      const next = step(stored?.state ?? null);
      if (stored !== null && next === stored.state) return stored.revision;
      const revision = await this.#store.compareAndSave(stored?.revision ?? null, next, this.#claim);
      if (revision !== null) return revision;
      // Nobody else writes the ring while the claim is in force; what was read may have been a moment old.
      const successor = await this.#successor();
      if (successor === this.#claim.holder) continue;
      this.close();
      throw decidesNoMore(successor);
    }
    throw changeRunning('another proxy has changed the ring');
  }

  /** Who has the claim now; null: nobody. */
  async #successor(): Promise<string | null> {
    const { job, holder } = this.#claim;
    const inForce = (await this.#store.claims()).find((claim) => claim.job === job) ?? null;
    if (isInForce(this.#claim, inForce)) return holder;
    return inForce?.holder === holder ? null : (inForce?.holder ?? null);
  }
}
