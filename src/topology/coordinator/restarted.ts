/** A node that was restarted: emptied where it stands, before anybody is answered by it. */
import { randomUUID } from 'node:crypto';
import { RingproxyError } from '../../errors.js';
import { sameNode } from '../../node/identity.js';
import type { FleetMember } from '../state/fleet.js';
import { processOf, withFirstProcesses, withoutProcesses, withProcesses } from '../state/processes.js';
import { type Member, type NodeProcess, type RingState, unionOf } from '../state/ring-state.js';
import type { StoredRing } from '../store/ring-store.js';
import type { ArrivalPorts } from './arrivals.js';
import { seeWhoIsThere } from './attendance.js';
import type { EmptyRequest, ProcessesRequest } from './ring-requests.js';
import type { Term } from './term.js';

/** What of a term is needed here. */
export interface EmptyingTerm extends Pick<Term, 'record'> {
  local(): { readonly stored: Pick<StoredRing, 'state'> };
  readonly passing: Pick<Term['passing'], 'pass' | 'describe'>;
  readonly store: Pick<Term['store'], 'load'>;
}

export function recordedProcesses(state: RingState, { processes }: ProcessesRequest): RingState {
  return processes === null ? withoutProcesses(state) : withFirstProcesses(state, processes);
}

/**
 * Until it is recorded that this process may serve, no proxy sends it a client's command, nor moves keys from or to it:
 * so the order is that of a node that comes back after it was ejected. Members that are dead could live on with the
 * former process: they are passed first.
 *
 * No fence keeps an attempt from removing late, when another one has opened the node. So each is recorded before, as a
 * process that none is, in place of the one of before. That also decides about a record whose writing seemed to fail: it
 * either stands by then, or never will. The connections of all attempts of before are dropped behind that, and one that is
 * opened later looks whether its attempt still stands, before it removes anything.
 * @param request the process as all proxies have found it, and which one was recorded then: another one may serve by now
 * @throws RingproxyError when it cannot be emptied, or is another one by now, or serves already
 */
export async function emptyRestarted(
  term: EmptyingTerm,
  { node: process, instead }: Pick<EmptyRequest, 'node' | 'instead'>,
  members: () => Promise<readonly FleetMember[]>,
  ports: Pick<ArrivalPorts, 'killPredecessors' | 'empty'>,
): Promise<void> {
  const node = memberAs(process, term.local().stored.state);
  if (node === undefined) throw otherByNow(process);
  await seeWhoIsThere(term.passing);
  const attempt = { ...process, runId: `emptying-${randomUUID()}` };
  const isOwn = (state: RingState | undefined): boolean =>
    state !== undefined && processOf(process, state) === attempt.runId;
  await term.record((now) => {
    if (memberAs(process, now) === undefined || processOf(process, now) !== instead || instead === process.runId)
      throw otherByNow(process);
    return withProcesses(now, [attempt]);
  });
  await ports.killPredecessors(
    [node],
    (await members()).map(({ id }) => id),
  );
  const emptied = await ports.empty(node, async (runId) => {
    if (runId !== process.runId || !isOwn((await term.store.load())?.state)) throw otherByNow(process);
  });
  if (emptied !== process.runId) throw otherByNow(process);
  await term.record((now) => {
    if (!isOwn(now)) throw otherByNow(process);
    return withProcesses(now, [process]);
  });
  if (processOf(process, term.local().stored.state) !== process.runId) throw otherByNow(process);
}

/** The node, where it is not fenced. */
function memberAs(process: NodeProcess, { members, change }: RingState): Member | undefined {
  if (change !== null && change.phase !== 'moving') return undefined;
  return unionOf(members, change?.members ?? []).find((member) => sameNode(member, process));
}

function otherByNow({ name }: NodeProcess): RingproxyError {
  return new RingproxyError('CHANGE_RUNNING', `${name}, or the ring, has changed since it was looked at`);
}
