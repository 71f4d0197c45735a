/** The proxies that serve a ring, and what each of them has a right to: pure, as the store has them. */
import type { FenceMember } from './change-protocol.js';
import type { Consistency, NodeProcess } from './ring-state.js';

/** Rises with everything that is written to a store, and never comes twice, whoever has the store. */
export type Revision = number;

/** What a member says to a fence. */
export interface FenceAnswer extends FenceMember {
  /** Of the record that raised the fence which is answered. */
  readonly revision: Revision;
}

/** What a member tells of itself when it registers. */
export interface MemberInfo {
  /** URL of its admin API as other proxies reach it; empty: it has none. */
  readonly admin: string;
  readonly version: string;
  /** Processes that serve clients. */
  readonly workers: number;
  /** ISO date. */
  readonly startedAt: string;
  /** The newest format of the ring's record that it understands: see `RECORD_FORMAT`. */
  readonly format: number;
  /** It tells when it has left a former master of a followed node; missing: a version that does not. */
  readonly agreesOnMasters?: boolean | undefined;
}

/** A proxy. It counts in every fence until it is known that no command of its can run any more. */
export interface FleetMember {
  readonly id: string;
  /** Its lease holds. One that is not alive may still be about: stalled, or cut off. */
  readonly alive: boolean;
  /** It may not speak to nodes any more: whoever connects finds out before the first command. Never taken back. */
  readonly fencedOff: boolean;
  /** The last one, to whichever fence. */
  readonly answer: FenceAnswer | null;
  /** Null: a proxy of before, of which only its id is known. */
  readonly info: MemberInfo | null;
}

/** How far the keys of one source have moved: what outlives its mover, and what all proxies show. */
export interface MoveRecord {
  /** The source's name. */
  readonly source: string;
  /** It has no moved key left. */
  readonly swept: boolean;
  readonly keysMoved: number;
  readonly keysScanned: number;
  readonly bytesMoved: number;
  /** Keys that were given up. */
  readonly keysDropped: number;
  /** The large key that is being moved alone, or null. */
  readonly largeKey: { readonly key: string; readonly bytes: number } | null;
  /** Nodes that could not be asked at the fence, as this source's mover has seen them first. */
  readonly processes: readonly NodeProcess[];
  /** Why it stands still, or null. */
  readonly error: string | null;
  /** It waits until a person says that it is to go on: by a failure, or since all is paused. */
  readonly paused: boolean;
}

/** The right to do a duty of the fleet. */
export interface Claim {
  readonly job: string;
  /** The proxy's id. */
  readonly holder: string;
  /** What is done by this right carries it: an older one than the one that is in force counts no more. */
  readonly revision: Revision;
  /** ISO date of when it was claimed, by the holder's clock: for people. */
  readonly since: string;
}

/**
 * What each member says to a fence; one that has not answered, or only to an earlier fence, has not acknowledged. One
 * that is fenced off is asked nothing: the nodes drop its connections instead.
 * @param revision of the record that has raised the fence
 */
export function answersTo(revision: Revision, members: readonly FleetMember[]): FenceMember[] {
  return members
    .filter((member) => !member.fencedOff)
    .map(({ id, answer }) =>
      answer !== null && answer.revision >= revision
        ? answer
        : { acknowledged: false, why: `the proxy ${id} has not answered` },
    );
}

/** Whether a member may be fenced off: while its lease holds it may speak to nodes without asking anybody. */
export function mayFenceOff(member: FleetMember): boolean {
  return !member.alive;
}

/** Whether members are fenced off without a person who answers for it: one may speak to nodes even without a lease. */
export function mayPass(consistency: Consistency): boolean {
  return consistency === 'strict';
}

/**
 * Whether a member may be left out of fences. In this order: its lease has run out, it is marked, the nodes drop it.
 * Whoever was connected before is cut, whoever connects later finds the mark.
 * @param droppedSince whether every node has dropped its connections since it was fenced off
 */
export function mayForget(member: FleetMember, droppedSince: boolean): boolean {
  return member.fencedOff && droppedSince;
}

/**
 * Whether a connection that a node has just accepted, by name, may carry commands.
 * @param isLeaseValid by a clock that runs evenly, counted from when its last renewal that succeeded was sent
 * @param isKnownMember a read that cannot be stale says that the member is there and not fenced off; null: no answer
 * @param consistency where it is `available`, nobody is ever passed without a person who answers for it
 */
export function mayCarry(
  isLeaseValid: boolean,
  isKnownMember: boolean | null,
  consistency: Consistency = 'strict',
): boolean {
  return isLeaseValid || isKnownMember === true || (isKnownMember === null && consistency === 'available');
}

/** Whether what is done by a claim still counts. @param inForce the job's claim as the store has it, or null */
export function isInForce(claim: Pick<Claim, 'revision'>, inForce: Pick<Claim, 'revision'> | null): boolean {
  return inForce !== null && inForce.revision === claim.revision;
}
