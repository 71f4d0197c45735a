import { RingproxyError } from '../../errors.js';
import type { Timers } from '../../time/timers.js';
import { mayMove } from '../state/change-protocol.js';
import { answersTo, type FleetMember, type Revision } from '../state/fleet.js';
import { StoreNews } from '../store/news.js';
import type { MemberRecords, RingRecords } from '../store/ring-store.js';

export interface AnswersPorts {
  readonly store: Pick<MemberRecords, 'members'> & Pick<RingRecords, 'watch'>;
  /** Aborted when this proxy decides no more. */
  readonly signal: AbortSignal;
}

/**
 * Waits until every member has answered, or one has said no, or for so many milliseconds.
 * @param revision of the record that asks
 * @returns the members, with what they say
 */
export async function waitForAnswers(
  revision: Revision,
  timeout: number,
  { store, signal }: AnswersPorts,
  timers: Timers,
): Promise<readonly FleetMember[]> {
  const news = new StoreNews(store);
  let isLate = false;
  const endWait = (): void => {
    isLate = true;
    news.wake();
  };
  const endTimer = timers.after(timeout, endWait);
  signal.addEventListener('abort', endWait);
  try {
    for (;;) {
      const next = news.next();
      const members = await store.members();
      const asked = members.filter((member) => !member.fencedOff);
      const answers = asked.flatMap(({ answer }) => (answer !== null && answer.revision >= revision ? [answer] : []));
      const isRefused = answers.some((answer) => !answer.acknowledged);
      if (isRefused || isLate || signal.aborted || answers.length === asked.length) return members;
      await next;
    }
  } finally {
    news.end();
    endTimer();
    signal.removeEventListener('abort', endWait);
  }
}

/** Who has not acknowledged. */
export type Objection =
  | { readonly kind: 'refused'; readonly member: FleetMember; readonly why: string }
  | { readonly kind: 'silent'; readonly member: FleetMember };

/** @returns why keys may not move, a refusal first; null: they may */
export function objectionTo(revision: Revision, members: readonly FleetMember[]): Objection | null {
  if (mayMove(answersTo(revision, members))) return null;
  const asked = members.filter((member) => !member.fencedOff);
  const silent: Objection[] = [];
  for (const member of asked) {
    const { answer } = member;
    if (answer === null || answer.revision < revision) silent.push({ kind: 'silent', member });
    else if (!answer.acknowledged) return { kind: 'refused', member, why: answer.why };
  }
  return silent[0] ?? null;
}

const SILENT_HINT =
  'see whether its process hangs: end it, and ask again when its lease has run out (member-ttl): then it is passed over';

/** @param members all of them: who refuses is named where it is not the only one */
export function objectionError(
  objection: Objection,
  members: readonly FleetMember[],
  describe: (member: FleetMember) => string,
): RingproxyError {
  const who = describe(objection.member);
  if (objection.kind === 'silent') return new RingproxyError('FENCE_TIMEOUT', `${who}, has not answered`, SILENT_HINT);
  const isAlone = members.length === 1;
  return new RingproxyError('FENCE_TIMEOUT', isAlone ? objection.why : `${objection.why} (at ${who})`);
}
