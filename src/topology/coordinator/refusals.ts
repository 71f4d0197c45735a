import { messageOf, RingproxyError } from '../../errors.js';

/** @param what is under way @param by the proxy at which it was asked for, where it is known */
export function changeRunning(what: string, by: string | null = null): RingproxyError {
  const whose = by === null ? '' : ` (asked for at the proxy ${by})`;
  return new RingproxyError('CHANGE_RUNNING', `another change is under way: ${what}${whose}`);
}

export function tooLate(): RingproxyError {
  return new RingproxyError('CANNOT_CANCEL', 'everything has moved already, that is being recorded');
}

export function noChange(): RingproxyError {
  return new RingproxyError('NO_CHANGE', 'no change is under way');
}

export function notMovingYet(): RingproxyError {
  return new RingproxyError('CHANGE_PREPARING', 'the change is just beginning: keys do not move yet');
}

/** @param holder who decides now; null: nobody is known to */
export function decidesNoMore(holder: string | null): RingproxyError {
  const who = holder === null ? 'another one' : `the proxy ${holder}`;
  const lost = 'the right to decide about the ring was lost in the middle of it';
  return new RingproxyError('COORDINATOR_LOST', `${lost}: ${who} gives it up, or goes on with it`);
}

export function notCoordinator(): RingproxyError {
  return new RingproxyError('NOT_COORDINATOR', 'this proxy does not decide about the ring');
}

/** Of these the reader must know by their code: they say more than that a fence was not passed. */
const KEPT: readonly string[] = ['STATE_DIR', 'COORDINATOR_LOST'];

/**
 * @param failure the reason; one that has a code of its own keeps it
 * @param waitsFor what is known of nodes that are down, and what helps
 */
export function notPassed(what: string, failure: unknown, waitsFor: readonly string[] = []): RingproxyError {
  if (failure instanceof RingproxyError && KEPT.includes(failure.code)) return failure;
  const hint = failure instanceof RingproxyError && failure.code === 'FENCE_TIMEOUT' ? failure.hint : undefined;
  return new RingproxyError('FENCE_TIMEOUT', `${what}: ${messageOf(failure)}`, waitsFor[0] ?? hint);
}
