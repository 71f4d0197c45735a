/**
 * Moves keys through this process, one command for each step: where they are too large for a batch (`transfer.ts`), and the
 * source cannot send them by MIGRATE (`migrate.ts`): it forbids that, or cannot connect to the target, such as to one that
 * listens on a Unix socket. A large value is held here whole meanwhile.
 */
import { request } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';
import { expiriesOf } from './times.js';
import { restore } from './transfer.js';
import { TransferRefused } from './transfer-refused.js';
import type { HalfMoved, Moves } from './trust.js';
import { unlinkKeys } from './unlink.js';

/** A large value takes its time: 512 MB at 20 MB/s. */
export const LARGE_TIMEOUT_MS = 30_000;

export interface Moved {
  /** Whether any of the keys was there, and is on the target now. */
  readonly moved: boolean;
  /** Copies of the target that were from the past, and are gone. */
  readonly dropped: number;
}

/**
 * @param verdict which copies count
 * @throws TransferRefused when a node answers with an error, NodeFailure when one does not answer
 */
export async function copyKey(
  source: NodeLink,
  target: NodeLink,
  database: number,
  key: Buffer,
  verdict: Moves,
  half: HalfMoved,
): Promise<Moved> {
  const [expiry = -1] = await expiriesOf(source, database, [key]);
  const [value = null] = await source.exchange([request(['DUMP', key])], 1, database, LARGE_TIMEOUT_MS);
  if (value === null) {
    return { moved: false, dropped: verdict === 'move, clear' ? await unlinkKeys(target, database, [key]) : 0 };
  }
  if (!Buffer.isBuffer(value)) throw TransferRefused.by(source, value, 'DUMP');
  const taken = [{ key, value, expiry }];
  const { failure } = await restore(source, target, database, taken, verdict, half, LARGE_TIMEOUT_MS);
  if (failure !== null) throw failure;
  return { moved: true, dropped: 0 };
}
