import type { Timers } from '../../time/timers.js';
import type { FenceMember } from '../state/change-protocol.js';
import { answersTo, type Revision } from '../state/fleet.js';
import type { MemberRecords, RingRecords } from '../store/ring-store.js';

export interface AnswersPorts {
  readonly store: Pick<MemberRecords, 'members'> & Pick<RingRecords, 'watch'>;
  /** Aborted when this proxy decides no more. */
  readonly signal: AbortSignal;
}

/**
 * Waits until every member has answered, or one has said no, or for so many milliseconds.
 * @param revision of the record that asks
 * @returns what they say; those who have not answered have not acknowledged
 */
export async function waitForAnswers(
  revision: Revision,
  timeout: number,
  { store, signal }: AnswersPorts,
  timers: Timers,
): Promise<FenceMember[]> {
  let wake: () => void = () => {};
  let isLate = false;
  const endWait = (): void => {
    isLate = true;
    wake();
  };
  const endWatch = store.watch(() => wake());
  const endTimer = timers.after(timeout, endWait);
  signal.addEventListener('abort', endWait);
  try {
    for (;;) {
      const news = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const members = await store.members();
      const asked = members.filter((member) => !member.fencedOff);
      const answers = asked.flatMap(({ answer }) => (answer !== null && answer.revision >= revision ? [answer] : []));
      const refusals = answers.filter((answer) => !answer.acknowledged);
      if (refusals.length > 0) return refusals;
      if (isLate || signal.aborted || answers.length === asked.length) return answersTo(revision, members);
      await news;
    }
  } finally {
    endWatch();
    endTimer();
    signal.removeEventListener('abort', endWait);
  }
}
