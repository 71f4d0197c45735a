/** A node that was restarted: emptied where it stands, before anybody is answered by it. */
import { RingproxyError } from '../../errors.js';
import { sameNode } from '../../node/identity.js';
import type { FleetMember } from '../state/fleet.js';
import { processOf, withFirstProcesses, withoutProcesses, withProcesses } from '../state/processes.js';
import { type NodeProcess, type RingState, unionOf } from '../state/ring-state.js';
import type { ArrivalPorts } from './arrivals.js';
import { seeWhoIsThere } from './attendance.js';
import type { ProcessesRequest } from './ring-requests.js';
import type { Term } from './term.js';

export function recordedProcesses(state: RingState, { processes }: ProcessesRequest): RingState {
  return processes === null ? withoutProcesses(state) : withFirstProcesses(state, processes);
}

/**
 * Until it is recorded that this process may serve, no proxy sends it a client's command, nor moves keys from or to it:
 * so the order is that of a node that comes back after it was ejected. Members that are dead could live on with the
 * former process: they are passed first.
 * @param process as all proxies have found it
 * @throws RingproxyError when it cannot be emptied, or is another one by now
 */
export async function emptyRestarted(
  term: Term,
  process: NodeProcess,
  members: readonly FleetMember[],
  ports: Pick<ArrivalPorts, 'killPredecessors' | 'empty'>,
): Promise<void> {
  const { state } = term.local().stored;
  const node = unionOf(state.members, state.change?.members ?? []).find((member) => sameNode(member, process));
  const isFenced = state.change !== null && state.change.phase !== 'moving';
  if (node === undefined || isFenced || ['', process.runId].includes(processOf(process, state)))
    throw otherByNow(process);
  await seeWhoIsThere(term.passing);
  await ports.killPredecessors(
    [node],
    members.map(({ id }) => id),
  );
  if ((await ports.empty(node)) !== process.runId) throw otherByNow(process);
  await term.record((now) => withProcesses(now, [process]));
  if (processOf(process, term.local().stored.state) !== process.runId) throw otherByNow(process);
}

function otherByNow({ name }: NodeProcess): RingproxyError {
  return new RingproxyError('CHANGE_RUNNING', `${name}, or the ring, has changed since it was looked at`);
}
