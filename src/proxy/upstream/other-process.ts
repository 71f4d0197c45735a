/** Whether a new connection leads to the process that may serve: one that was restarted may have read what is of the past. */
import { type Failure, failure } from '../../node/failure.js';
import { passesByItself } from '../../node/reply-errors.js';

/**
 * @param expected of the node: see `NodeEndpoint.process`
 * @param runId that the node has said; empty: it has not
 * @param complaint what it has said against being asked, or empty
 * @param othersServe whether other connections lead to the process that may serve
 * @returns why the connection is of no use, or null
 */
export function otherProcess(
  expected: string | undefined,
  runId: string,
  complaint: string,
  othersServe: boolean,
): Failure | null {
  if (expected === undefined || expected === '' || runId === expected) return null;
  if (runId !== '') return failure('restarted');
  // A node that runs a script says nothing else, and whoever comes must be told so. Connections of before are still there.
  if (othersServe && passesByItself(complaint)) return null;
  return failure('no-run-id', complaint);
}
