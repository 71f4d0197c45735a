import type { RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import { SETTLE_STOP_MS, SWEEP_STOP_MS } from '../fence-times.js';
import type { FleetMember, Revision } from '../state/fleet.js';
import type { RingState } from '../state/ring-state.js';
import { type AnswersPorts, objectionError, objectionTo, waitForAnswers } from './answers.js';
import { noChange } from './refusals.js';

/** What an answer may take on its way. */
const ON_THE_WAY_MS = 1000;

export interface StillnessPorts extends AnswersPorts {
  /** The ring as this proxy has it. */
  state(): RingState;
  describe(member: FleetMember): string;
}

/**
 * Waits until all moves hold still, at every proxy.
 * @param asked the revision of the record that asks for it
 * @param id of the change
 * @returns why they do not, or null
 * @throws RingproxyError NO_CHANGE as soon as the change has come to its end: then nobody answers any more
 */
export async function standStill(
  asked: Revision,
  id: string,
  { store, signal, state, describe }: StillnessPorts,
  timers: Timers = systemTimers,
): Promise<RingproxyError | null> {
  const timeout = SWEEP_STOP_MS + SETTLE_STOP_MS + ON_THE_WAY_MS;
  const ended = new AbortController();
  const look = ({ change }: RingState): void => {
    if (change?.id !== id) ended.abort();
  };
  const endWatch = store.watch((event) => {
    if (event.kind === 'ring') look(event.ring.state);
  });
  try {
    // Its end may have been recorded before the question was.
    look(state());
    const either = AbortSignal.any([signal, ended.signal]);
    const members = await waitForAnswers(asked, timeout, { store, signal: either }, timers);
    if (ended.signal.aborted) throw noChange();
    const objection = objectionTo(asked, members);
    return objection === null ? null : objectionError(objection, members, describe);
  } finally {
    endWatch();
  }
}
