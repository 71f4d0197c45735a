import type { Claim } from '../../topology/state/fleet.js';
import type { EndReason, Job } from './job.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

interface Work {
  readonly claim: Claim;
  readonly startedAt: number;
  readonly controller: AbortController;
}

export interface AssignmentPorts {
  /** Milliseconds that never go back. */
  now(): number;
  /** 0 to 1. */
  random(): number;
  /** Nothing of the work is under way any more. @param error why it ended by itself; null: it was told to */
  onEnded(claim: Claim, error: unknown): void;
}

/** A job at this proxy: whether it is done here, and how often it has failed. */
export class Assignment {
  readonly job: Job;
  readonly #ports: AssignmentPorts;
  #work: Work | null = null;
  #failures = 0;
  /** It has failed here: until then it is left to others. */
  #pausedUntil = 0;
  #done: Promise<void> = Promise.resolve();
  /** Since when it is seen that nobody has it; null: somebody has. */
  freeSince: number | null = null;
  /** To whom it was handed over last, among which members. */
  declined: { readonly by: string; readonly members: string } | null = null;

  constructor(job: Job, ports: AssignmentPorts) {
    this.job = job;
    this.#ports = ports;
  }

  /** Null: nothing of it is under way here. */
  get claim(): Claim | null {
    return this.#work?.claim ?? null;
  }

  /** It was told to end, and has not yet. */
  get isEnding(): boolean {
    return this.#work?.controller.signal.aborted ?? false;
  }

  /** How long it is left to others, since it has failed here; 0: not. */
  get pause(): number {
    return Math.max(0, this.#pausedUntil - this.#ports.now());
  }

  /** Begins it; to be called while nothing of it is under way. */
  begin(claim: Claim): void {
    const work = { claim, startedAt: this.#ports.now(), controller: new AbortController() };
    this.#work = work;
    this.#done = this.#run(work);
  }

  /** Tells it to end. @returns when nothing of it is under way any more */
  end(reason: EndReason): Promise<void> {
    if (!this.isEnding) this.#work?.controller.abort(reason);
    return this.#done;
  }

  async #run(work: Work): Promise<void> {
    const { signal } = work.controller;
    let error: unknown = null;
    try {
      await this.job.run({ claim: work.claim, signal });
      if (!signal.aborted) error = new Error('it has ended by itself');
    } catch (failure) {
      // What fails because it was told to end has ended.
      if (!signal.aborted) error = failure;
    }
    const { now, random } = this.#ports;
    if (error !== null) {
      this.#failures = now() - work.startedAt > LONGEST_PAUSE_MS ? 1 : this.#failures + 1;
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
      this.#pausedUntil = now() + pause * (0.5 + random() / 2);
    }
    this.#work = null;
    this.#ports.onEnded(work.claim, error);
  }
}
