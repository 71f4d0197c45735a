import { systemTimers, type Timers } from '../../time/timers.js';
import { before, dropDeadline, FENCE_TIMEOUT_MS, LEAST_DROP_MS } from '../fence-times.js';
import { type FleetMember, mayForget, type Revision } from '../state/fleet.js';
import type { Member } from '../state/ring-state.js';
import type { MemberRecords, RingRecords } from '../store/ring-store.js';
import { objectionError, objectionTo, waitForAnswers } from './answers.js';

/** Every member answers within the fence, and what its nodes may take to drop connections. */
const ANSWERS_MS = FENCE_TIMEOUT_MS + 2 * LEAST_DROP_MS;

export interface FencePorts {
  readonly store: MemberRecords & Pick<RingRecords, 'watch'>;
  /** Makes the nodes drop all connections of these proxies. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  /** For people. */
  describe(member: FleetMember): string;
  /** Aborted when this proxy decides no more. */
  readonly signal: AbortSignal;
}

/**
 * Makes sure that no command on a moved key is under way anywhere, from any proxy.
 * @param revision of the record that has raised the fence
 * @param nodes those that can be asked
 * @throws Error that says why it is not passed
 */
export async function passFence(
  revision: Revision,
  nodes: readonly Member[],
  ports: FencePorts,
  timers: Timers = systemTimers,
): Promise<void> {
  const startedAt = timers.now();
  const members = await waitForAnswers(revision, ANSWERS_MS, ports, timers);
  const objection = objectionTo(revision, members);
  if (objection !== null) throw objectionError(objection, members, (member) => ports.describe(member));
  const deadline = dropDeadline(startedAt, timers);
  const late = 'a node does not drop connections of an earlier proxy';
  await before(deadline, late, dropFencedOff(nodes, ports), timers);
}

/** A process of theirs may live on, stalled, with commands that it has yet to send. */
async function dropFencedOff(nodes: readonly Member[], ports: FencePorts): Promise<void> {
  const gone = (await ports.store.members()).filter((member) => member.fencedOff);
  if (gone.length === 0) return;
  const ids = gone.map(({ id }) => id);
  await ports.killPredecessors(nodes, ids);
  await ports.store.deregister(gone.filter((member) => mayForget(member, true)).map(({ id }) => id));
}
