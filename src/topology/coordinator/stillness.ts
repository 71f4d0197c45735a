import type { RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { SETTLE_STOP_MS, SWEEP_STOP_MS } from '../fence-times.js';
import type { Revision } from '../state/fleet.js';
import { objectionError, objectionTo, waitForAnswers } from './answers.js';
import type { Term } from './term.js';

/** What an answer may take on its way. */
const ON_THE_WAY_MS = 1000;

/**
 * Waits until all moves hold still, at every proxy.
 * @param asked the revision of the record that asks for it
 * @returns why they do not, or null
 */
export async function standStill(
  asked: Revision,
  { store, duty, passing }: Term,
  timers: Timers = systemTimers,
): Promise<RingproxyError | null> {
  const timeout = SWEEP_STOP_MS + SETTLE_STOP_MS + ON_THE_WAY_MS;
  const members = await waitForAnswers(asked, timeout, { store, signal: duty.signal }, timers);
  const objection = objectionTo(asked, members);
  return objection === null ? null : objectionError(objection, members, (member) => passing.describe(member));
}
