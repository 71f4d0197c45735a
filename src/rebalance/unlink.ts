import { request } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';
import { TransferRefused } from './transfer-refused.js';

/**
 * Removes keys from a node.
 * @returns how many of them were there
 * @throws TransferRefused when the node answers with an error, NodeFailure when it does not answer
 */
export async function unlinkKeys(link: NodeLink, database: number, keys: readonly Buffer[]): Promise<number> {
  if (keys.length === 0) return 0;
  const [reply] = await link.exchange([request(['UNLINK', ...keys])], 1, database);
  if (typeof reply !== 'number') throw TransferRefused.by(link, reply ?? null, 'UNLINK');
  return reply;
}
