/** Nodes that join, made ready for it: behind every check, since what is removed does not come back. */
import { counted } from '../../counted.js';
import { RingproxyError } from '../../errors.js';
import type { AdmissionHooks } from '../admission/admission.js';
import { isAsEjected } from '../state/ejection.js';
import { runIdIn } from '../state/move-records.js';
import type { Member, NodeProcess, RingState } from '../state/ring-state.js';
import type { ChangePlan } from './change-plan.js';

export interface ArrivalPorts extends Pick<AdmissionHooks, 'inspect'> {
  /** Makes the nodes drop all connections of these proxies. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  /** Removes every key of a node that is to join. */
  flush(node: Member): Promise<void>;
  /**
   * The same of what clients could come to see, however the node allows it.
   * @param mayRemove looked at with the process to which the connection leads by which keys are removed: throws when they may not be
   * @returns the run id of the process that is empty now
   */
  empty(node: Member, mayRemove?: (runId: string) => Promise<void>): Promise<string>;
}

/**
 * A node that was ejected may have lived on: proxies that were cut off may have written there, and commands may lie on
 * its connections yet. So it first drops the connections of all proxies that could have any, which are no members' in
 * good standing: none has the node in its ring. What is removed behind that does not come back.
 * @param comesBack it is the fleet that brings it back: it is emptied whatever it holds
 * @param proxies ids of the members
 * @returns the processes of nodes that were ejected, as they are known to be empty
 * @throws RingproxyError when one cannot be made ready
 */
export async function readyArrivals(
  { arriving, toFlush }: Pick<ChangePlan, 'arriving' | 'toFlush'>,
  { ejected = [] }: RingState,
  comesBack: boolean,
  proxies: readonly string[],
  ports: ArrivalPorts,
): Promise<readonly NodeProcess[]> {
  const empty: NodeProcess[] = [];
  for (const node of arriving) {
    const before = ejected.filter((other) => isAsEjected(other, node));
    if (before.length > 0) {
      await ports.killPredecessors([node], [...new Set([...proxies, ...before.flatMap((other) => other.proxies)])]);
    }
    let runId = comesBack ? await ports.empty(node) : '';
    if (!comesBack && toFlush.includes(node)) await ports.flush(node);
    if (before.length > 0 && !comesBack) runId = await emptyProcess(node, ports);
    const { name, address } = node;
    if (before.length > 0) empty.push({ name, address, runId });
  }
  return empty;
}

/**
 * One that was restarted since it was emptied may have read what it had from its disk.
 * @param seen the processes of the nodes as the fence has found them
 * @throws Error
 */
export function refuseRestarted(empty: readonly NodeProcess[], seen: readonly NodeProcess[]): void {
  const restarted = empty.find((process) => runIdIn(process, seen) !== process.runId);
  if (restarted === undefined) return;
  const { name, address } = restarted;
  throw new Error(`${name} (${address}) was restarted just after it was emptied, or does not say that it was not`);
}

async function emptyProcess(node: Member, ports: ArrivalPorts): Promise<string> {
  const { keys } = await ports.inspect(node);
  // What is on its disk is of before as well.
  if (keys === 0) return ports.empty(node);
  throw new RingproxyError(
    'NODE_NOT_EMPTY',
    `${node.name} (${node.address}) holds ${counted(keys, 'key')}, which would show up as stale data`,
  );
}
