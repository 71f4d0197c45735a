/**
 * A duty of the whole fleet: of all proxies exactly one does it at a time. That one has a claim to it, and whatever it does
 * to others carries the claim, or bears its revision in a name: should it be stalled for longer than its claim holds,
 * what it still does is refused, or cut.
 */
import type { Claim } from '../../topology/state/fleet.js';
import type { ClaimPace } from '../../topology/store/ring-store.js';

/**
 * Why a proxy is to end what it does for a job.
 * - `lost`: the claim is not in force any more; another one may be at it already.
 * - `handed over`: another member is to do it.
 * - `withdrawn`: it is not to be done here any more.
 */
export type EndReason = 'lost' | 'handed over' | 'withdrawn';

/** A job as it is given to a proxy. */
export interface Duty {
  readonly claim: Claim;
  /** Aborted with an `EndReason` when this proxy is to end it. */
  readonly signal: AbortSignal;
}

export interface Job {
  /** The same in all proxies, unique among jobs; a person reads it. */
  readonly name: string;
  readonly pace: ClaimPace;
  /** It stays with its holder for as long as that one lives; otherwise it moves when members come. */
  readonly stays: boolean;
  /**
   * Does it until the signal is aborted.
   * @returns when nothing of it is under way any more. One that returns or throws before is let go, and begun again a
   * while later, here or at another member
   */
  run(duty: Duty): Promise<void>;
}

/** What is shown of a job. */
export interface JobView {
  readonly job: string;
  /** The id of the proxy that does it. */
  readonly holder: string;
  /** ISO date. */
  readonly since: string;
}
