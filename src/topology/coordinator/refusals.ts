import { RingproxyError } from '../../errors.js';

export function changeRunning(what: string): RingproxyError {
  return new RingproxyError('CHANGE_RUNNING', `another change is under way: ${what}`);
}

export function tooLate(): RingproxyError {
  return new RingproxyError('CANNOT_CANCEL', 'everything has moved already, that is being recorded');
}

export function noChange(): RingproxyError {
  return new RingproxyError('NO_CHANGE', 'no change is under way');
}

/** @param failure the reason; one that has a code of its own keeps it */
export function notPassed(what: string, failure: unknown): RingproxyError {
  if (failure instanceof RingproxyError && failure.code === 'STATE_DIR') return failure;
  return new RingproxyError('FENCE_TIMEOUT', `${what}: ${messageOf(failure)}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
