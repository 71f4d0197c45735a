/** Errors that the proxy answers itself in several places. */
import { error as encodeError } from '../../resp/encode.js';

/** No ring has been published yet. */
export const NOT_READY = encodeError('NODEDOWN the ring has no nodes yet');
const APART = "CROSSSLOT Keys in request don't hash to the same node";
const WHERE_REFUSED = encodeError(`${APART} (cross-node: allow lets most commands run so)`);
const WHERE_ALLOWED = encodeError(
  `${APART}, and this one runs on one node only: give them a hash tag, such as {user:1}, in common`,
);

/** What is answered where the keys of a command have several owners, and it needs one. @param setting `cross-node` */
export function crossSlotReply(setting: 'allow' | 'refuse'): Buffer {
  return setting === 'refuse' ? WHERE_REFUSED : WHERE_ALLOWED;
}

/** @param node its name @returns what is answered where all connections that it may have for one client alone are in use */
export function noPrivateLaneReply(node: string): Buffer {
  return encodeError(`TRYAGAIN all private connections to node ${node} are in use (node-private-connections)`);
}
