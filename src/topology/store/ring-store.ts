/**
 * What the proxies of one ring must agree on, and where it is kept. An implementation passes the contract tests
 * (test/topology/store/contract.ts).
 *
 * Everything has a revision (see `Revision`). Whoever writes says which revision it has seen, and is refused when that
 * is not the last one any more; the coordinator's writes compare its claim as well. These two together are the fencing
 * token: one that was stalled for longer than its claim holds can write nothing.
 */
import type { HistoryEntry } from '../../admin/api.js';
import type { Claim, FenceAnswer, FleetMember, MemberInfo, MoveRecord, Revision } from '../state/fleet.js';
import type { RingState } from '../state/ring-state.js';
import type { StoredGroups } from './group-records.js';
import type { NodeKey, StoredMaster } from './master-records.js';

/** The ring as it is recorded. */
export interface StoredRing {
  readonly revision: Revision;
  readonly state: RingState;
}

/** @returns the revision that was written, or null: somebody else has written, or the claim is not in force */
export type Written = Revision | null;

export type StoreEvent =
  | { readonly kind: 'ring'; readonly ring: StoredRing }
  /** A member was registered, has answered a fence, was fenced off or is gone. */
  | { readonly kind: 'members'; readonly revision: Revision }
  /** A job was claimed, or let go. */
  | { readonly kind: 'claims'; readonly revision: Revision }
  /** A mover has told how far it is. */
  | { readonly kind: 'moves'; readonly revision: Revision }
  | { readonly kind: 'groups'; readonly groups: StoredGroups }
  /** Which server a followed node's master is; null: that was forgotten. */
  | { readonly kind: 'master'; readonly node: NodeKey; readonly master: StoredMaster | null }
  /** Of this proxy alone: `validUntil` has changed, or the store is out of reach, or is back. */
  | { readonly kind: 'standing' };

/** The job of who decides about the ring; every other job is named by its own part of the program. */
export const COORDINATOR = 'coordinator';

/** The job of moving the keys of a source. */
export function moverJob(source: string): string {
  return `mover/${source}`;
}

/**
 * How fast a job must pass on when its holder dies without a word. `quick`: within about 3 s, for what clients wait for
 * (who coordinates, who moves keys); it costs a renewal a second. `slow`: within the member's lease.
 */
export type ClaimPace = 'quick' | 'slow';

/** How many finished changes are kept. */
export const HISTORY_LIMIT = 1000;

export interface RingRecords {
  /** @returns the ring, or null when there is none yet. @throws RingproxyError when it cannot be read */
  load(): Promise<StoredRing | null>;
  /**
   * Records the ring. When this returns a revision, the state survives everybody's end, unless a restart of everybody
   * takes it back anyway (`afterEverybodyIsGone`).
   * @param expected the revision that the writer has seen; null: there was no ring yet
   * @param by the coordinator's claim
   * @throws RingproxyError when it may not have been written
   */
  compareAndSave(expected: Revision | null, state: RingState, by: Claim): Promise<Written>;
  /** Makes sure, as far as possible, that a ring could be recorded now. @throws RingproxyError when it could not */
  rehearse(state: RingState): Promise<void>;
  /**
   * Tells everything that is written from now on, in order, also by this proxy; no listener is told before it counts.
   * @returns what ends it
   */
  watch(listener: (event: StoreEvent) => void): () => void;
}

export interface MemberRecords {
  /** All that are registered, alive or not. */
  members(): Promise<readonly FleetMember[]>;
  /**
   * Registers this proxy, durably: from now on it counts in every fence. A joiner takes the phase that it has seen, so it
   * must not slip past a fence that was raised meanwhile. What it has answered before is forgotten.
   * @param id one that is fenced off is refused: it is never taken back
   * @param seen the revision of the ring that it has read
   * @throws RingproxyError when it may not have been written
   */
  register(id: string, info: MemberInfo, seen: Revision): Promise<Written>;
  /** Takes members out of all fences: the caller answers for `mayForget`. Those that are unknown are passed over. */
  deregister(ids: readonly string[]): Promise<void>;
  /** Marks a member that is not alive. @returns whether it is marked now */
  fenceOff(id: string): Promise<boolean>;
  /** Says what this proxy says to a fence. One that is fenced off, or unknown, says nothing. */
  answer(id: string, answer: FenceAnswer): Promise<Written>;
}

export interface ClaimRecords {
  /** Takes a job that nobody alive has, or takes it anew: a claim of before is not in force any more. @returns null: it is another one's */
  claim(job: string, holder: string, pace: ClaimPace): Promise<Claim | null>;
  /** Lets a job go; a claim that is not in force is passed over. */
  release(claim: Claim): Promise<void>;
  /** All that are in force. */
  claims(): Promise<readonly Claim[]>;
}

export interface MoveRecords {
  /**
   * Says how far a source of a change is.
   * @param change its id; what is kept of other changes goes with the next record of the ring
   * @param by the claim to move the source's keys
   */
  noteMove(change: string, record: MoveRecord, by: Claim): Promise<Written>;
  /** Of this change, of every source that was noted. */
  moves(change: string): Promise<readonly MoveRecord[]>;
}

/** What this proxy knows of its own right to speak to nodes: see `mayCarry`. */
export interface Standing {
  /**
   * Until when this proxy's lease holds for certain, by the machine's clock that runs evenly (`monotonicNow`, in
   * milliseconds); counted from when the last renewal that succeeded was sent. Infinity: nobody else could pass it.
   */
  readonly validUntil: number;
  /** Whether the store answers; as far as it is known. */
  readonly isReachable: boolean;
  /**
   * A read that cannot be stale: whether the member is there and not fenced off; null: no answer within a bound, or the
   * ring is gone as well, and with it whoever could have passed the member.
   */
  isKnownMember(id: string): Promise<boolean | null>;
}

export interface HistoryRecords {
  /** The last thousand changes, oldest first. */
  history(): Promise<readonly HistoryEntry[]>;
  /** @throws Error when it is not kept over a restart */
  addHistory(entry: HistoryEntry): Promise<void>;
}

export interface RingStore extends RingRecords, MemberRecords, ClaimRecords, MoveRecords, HistoryRecords, Standing {
  /** @throws RingproxyError when it cannot be used */
  open(): Promise<void>;
  /** Lets go of every claim of this proxy. */
  close(): Promise<void>;
}
