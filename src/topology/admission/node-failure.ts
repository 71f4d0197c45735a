import { RingproxyError } from '../../errors.js';
import { NodeFailure } from '../../node/failure.js';
import { TransferRefused } from '../../rebalance/transfer-refused.js';

/**
 * What is looked at on nodes before a change, with their failures in the operator's words.
 * @param work settles with warnings
 * @param looks the change is only tried: what it would be refused for is a warning
 * @throws RingproxyError NODE_UNREACHABLE when a node does not answer, or answers with an error
 */
export async function tellingNodes(work: Promise<string[]>, looks: boolean): Promise<string[]> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof NodeFailure || error instanceof TransferRefused)) throw error;
    if (looks) return [`this would be refused: ${error.message}`];
    throw new RingproxyError(
      'NODE_UNREACHABLE',
      `the change was not begun: ${error.message}`,
      'see which node is slow or down (ringproxy ring show), or runs a script (SCRIPT KILL), then try again',
    );
  }
}
