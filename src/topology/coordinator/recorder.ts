/** The coordinator's pen: what it records is a step from what is recorded, by its claim. */
import { RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Claim, Revision } from '../state/fleet.js';
import type { RingState } from '../state/ring-state.js';
import { COORDINATOR, type RingStore } from '../store/ring-store.js';
import { changeRunning } from './refusals.js';

const RETRY_MS = 500;

export class Recorder {
  readonly #proxyId: string;
  readonly #store: RingStore;
  readonly #timers: Pick<Timers, 'after'>;
  #claim: Claim | null = null;
  /** Steps go one after the other: each is taken from what the one before has made. */
  #recording: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(proxyId: string, store: RingStore, timers: Pick<Timers, 'after'> = systemTimers) {
    this.#proxyId = proxyId;
    this.#store = store;
    this.#timers = timers;
  }

  /**
   * @param step pure; null stands for the ring that is not recorded yet. What it gives back as it was is not recorded
   * @returns the revision of what is recorded now
   * @throws RingproxyError when it may not have been recorded, or another proxy decides about the ring
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
      if (state === null) throw new RingproxyError('NOT_READY', 'the ring is not known yet');
      return step(state);
    });
  }

  /**
   * Tries again until it is recorded.
   * @param onFailure told each time that it is not
   * @returns null when it was closed before
   */
  async changeAtLast(
    step: (state: RingState) => RingState,
    onFailure: (error: unknown) => void,
  ): Promise<Revision | null> {
    while (!this.#closed) {
      try {
        return await this.change(step);
      } catch (error) {
        onFailure(error);
        await new Promise<void>((resolve) => this.#timers.after(RETRY_MS, resolve));
      }
    }
    return null;
  }

  close(): void {
    this.#closed = true;
  }

  async #record(step: (state: RingState | null) => RingState): Promise<Revision> {
    const stored = await this.#store.load();
    const next = step(stored?.state ?? null);
    if (stored !== null && next === stored.state) return stored.revision;
    this.#claim ??= await this.#store.claim(COORDINATOR, this.#proxyId, 'quick');
    if (this.#claim === null) throw changeRunning('another proxy decides about the ring');
    const revision = await this.#store.compareAndSave(stored?.revision ?? null, next, this.#claim);
    if (revision !== null) return revision;
    this.#claim = null;
    throw changeRunning('another proxy has changed the ring');
  }
}
