/**
 * What keeps the moves off one source from getting on, as it is told, and when that is for a person to mend.
 *
 * What a network or a restart may have brought is tried again, with pauses that grow, until nothing has worked for as long
 * as the patience lasts. What a node refuses, and will refuse again, is for a person at once. What passes in any case (a
 * node that loads its data answers, after all) is waited for.
 */
import { messageOf } from '../errors.js';
import { NodeFailure, type Outlook } from '../node/failure.js';
import type { Timers } from '../time/timers.js';
import { TransferRefused } from './transfer-refused.js';

/** How long a sweep tries without anything that works. Longer than a node takes that is restarted, or a network that recovers. */
export const PATIENCE_MS = 15_000;
/** The first pause before a further try; each is twice as long as the one before. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

export interface SweepFailure {
  /** Milliseconds until it may be tried again. */
  readonly pause: number;
  /** It is not tried again before somebody says so. */
  readonly needsPerson: boolean;
}

export class MoveTrouble {
  readonly #about: string;
  readonly #patience: number;
  readonly #clock: Pick<Timers, 'now'>;
  /** Of the step of the sweep that is tried. */
  #sweep: string | null = null;
  #pause = FIRST_PAUSE_MS;
  /** Since when nothing of the sweep works, and no node answers; null: it does. */
  #since: number | null = null;
  /** Of clients' keys, by the node that they go to. */
  readonly #settles = new Map<number, string>();

  /**
   * @param about stands before each message
   * @param patience milliseconds
   */
  constructor(about: string, patience: number, clock: Pick<Timers, 'now'>) {
    this.#about = about;
    this.#patience = patience;
    this.#clock = clock;
  }

  /** Why moves do not get on, or null. */
  get message(): string | null {
    if (this.#sweep !== null) return this.#sweep;
    const [settle = null] = this.#settles.values();
    return settle;
  }

  /** A step of the sweep has failed, and nothing of it has worked since. */
  get sweepFails(): boolean {
    return this.#sweep !== null;
  }

  sweepFailed(error: unknown): SweepFailure {
    this.#sweep = this.#worded(error);
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE_MS, 2 * pause);
    const now = this.#clock.now();
    switch (outlookOf(error)) {
      case 'passes':
        this.#since = null;
        return { pause, needsPerson: false };
      case 'may pass':
        this.#since ??= now;
        return { pause, needsPerson: now - this.#since >= this.#patience };
      case 'stays':
        return { pause, needsPerson: true };
    }
  }

  sweepWorked(): void {
    this.#sweep = null;
    this.#since = null;
    this.#pause = FIRST_PAUSE_MS;
  }

  settleFailed(target: number, error: unknown): void {
    this.#settles.set(target, this.#worded(error));
  }

  /** Keys have arrived there. */
  arrived(target: number): void {
    this.#settles.delete(target);
  }

  /** All is tried anew. */
  forget(): void {
    this.sweepWorked();
    this.#settles.clear();
  }

  #worded(error: unknown): string {
    return `${this.#about}: ${messageOf(error)}`;
  }
}

/** What is none of a node's errors comes from the store, which does not answer at times, either. */
function outlookOf(error: unknown): Outlook {
  return error instanceof TransferRefused || error instanceof NodeFailure ? error.outlook : 'may pass';
}
