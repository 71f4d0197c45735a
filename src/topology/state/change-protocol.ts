/**
 * The decisions of a ring change that safety hangs on, as pure functions: what the coordinator does, and
 * what the model of the protocol (test/topology/model) explores, state by state. The rules are those of the
 * protocol: see ARCHITECTURE.md.
 */
import type { Phase, Step } from './transitions.js';

/** A process that commands come from: the proxy itself, or one of its workers. */
export interface FenceMember {
  /** Nothing of its is in flight on a moved key, and nothing new begins. */
  readonly acknowledged: boolean;
  /** Why not, for people; otherwise empty. */
  readonly why: string;
}

/** Fence: keys may move when every member has acknowledged. One that does not answer counts as well. */
export function mayMove(members: readonly FenceMember[]): boolean {
  return members.every((member) => member.acknowledged);
}

/** What is recorded when a fence has been raised, whether it was passed or not. In no case do keys stay held. */
export type StepAfterFence = Extract<Step, 'move' | 'turn round' | 'give up' | 'go on'>;

/**
 * - `move`, `turn round`: recorded first, then keys move; from the record on, the change only goes forward.
 * - `give up`: back to the ring as it was; nothing has moved.
 * - `go on`: the change that was to be turned round goes on as if nobody had asked. Its mover has held still meanwhile
 *   and has forgotten nothing, so every moved key is where that change looks for it.
 *
 * @param passed every member has acknowledged, and the nodes have dropped whatever could run late
 * @param turnsRound it is a cancel: keys are on both sides of it
 */
export function afterFence(passed: boolean, turnsRound: boolean): StepAfterFence {
  if (turnsRound) return passed ? 'turn round' : 'go on';
  return passed ? 'move' : 'give up';
}

/**
 * - `as it was`: nothing has moved.
 * - `go forward`: keys may have moved; moved keys are held until the nodes have dropped what the predecessor left.
 */
export type AfterRestart = 'as it was' | 'go forward';

/** @param recorded the phase in the record that is found */
export function afterRestart(recorded: Phase): AfterRestart {
  return recorded === 'moving' || recorded === 'turning' ? 'go forward' : 'as it was';
}
