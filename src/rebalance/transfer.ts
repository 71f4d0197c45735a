/**
 * Moves keys from one node to another without stopping either of them:
 *
 *   source   take    the values and times of expiry of a batch (`take.ts`)
 *   target   RESTORE … REPLACE ABSTTL
 *   source   UNLINK  once the target has them
 *
 * In between a key is on both nodes. That is sound because nobody writes it: after the fence nobody writes a
 * moved key at its source, and whoever needs it at the target waits until the batch is over. A key that expires or is
 * evicted at the source meanwhile is one that was there when it was read: the target has it with its time of expiry.
 * For large values see `migrate.ts`.
 *
 * Keys expire when they would have: a time to live that is left would grow by the time that each move takes.
 */
import { saysBusyKey } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { requests } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';
import type { LargeKey, Take, Taken } from './take.js';
import { expiryAt } from './times.js';
import { TransferRefused } from './transfer-refused.js';
import type { Drops, HalfMoved, Moves } from './trust.js';
import { unlinkKeys } from './unlink.js';

// Words of every key that moves: bytes, since text is measured and encoded each time.
const RESTORE = Buffer.from('RESTORE');
const ABSTTL = Buffer.from('ABSTTL');
const REPLACE = Buffer.from('REPLACE');

export interface Transferred {
  /** Keys that have left the source for the target. */
  readonly moved: readonly Buffer[];
  /** Keys that the source does not have (any more), and that the target has as it should. */
  readonly missing: readonly Buffer[];
  /** Of their serialized values. */
  readonly bytes: number;
  /** Copies from the past, or that could not be told from such, which are gone now: the key reads as missing. */
  readonly dropped: number;
  /** To be moved alone. */
  readonly large: readonly LargeKey[];
  /** The batch was full: to be asked for again. */
  readonly rest: readonly Buffer[];
  /** Why the other keys could not be moved, or null. */
  readonly failure: TransferRefused | null;
}

/**
 * Moves a batch; keys that are not there are no failure.
 * @param verdict which copies count
 * @param take how they are read
 * @param half is told of keys that are on both nodes, or may be, when it throws
 * @returns null when the source does not allow that
 * @throws TransferRefused when a node answers with an error before anything has moved, NodeFailure when one does not answer
 */
export async function transferBatch(
  source: NodeLink,
  target: NodeLink,
  database: number,
  keys: readonly Buffer[],
  verdict: Moves,
  take: Take,
  half: HalfMoved,
): Promise<Transferred | null> {
  const batch = await take(source, database, keys);
  if (batch === null) return null;
  const dropped = verdict === 'move, clear' ? await unlinkKeys(target, database, batch.missing) : 0;
  const { moved, failure } = await restore(source, target, database, batch.taken, verdict, half);
  const bytes = moved.reduce((sum, { value }) => sum + value.length, 0);
  const { missing, large, rest } = batch;
  return { moved: moved.map(({ key }) => key), missing, bytes, dropped, large, rest, failure };
}

/**
 * Writes to the target, then removes from the source what the target has: nothing is left in two places.
 * @param half is told of keys that the target has, and the source may have, when it throws
 * @param timeout milliseconds for the target to answer; without: as the link has it
 */
export async function restore(
  source: NodeLink,
  target: NodeLink,
  database: number,
  taken: readonly Taken[],
  verdict: Moves,
  half: HalfMoved,
  timeout?: number,
): Promise<{ moved: readonly Taken[]; failure: TransferRefused | null }> {
  if (taken.length === 0) return { moved: [], failure: null };
  const how = verdict === 'offer' ? [ABSTTL] : [ABSTTL, REPLACE];
  const frames = taken.map(({ key, value, expiry }) => {
    return [RESTORE, key, String(expiryAt(source, target, expiry)), value, ...how];
  });
  const restored = await target.exchange([requests(frames)], frames.length, database, timeout);
  const moved = taken.filter((_key, i) => !(restored[i] instanceof ReplyError) || isBusyKey(restored[i] ?? null));
  const failed = restored.find((reply) => reply instanceof ReplyError && !isBusyKey(reply)) ?? null;
  await unlinkCopied(
    source,
    database,
    moved.map(({ key }) => key),
    half,
  );
  return { moved, failure: failed === null ? null : TransferRefused.by(target, failed, 'RESTORE') };
}

/**
 * Removes keys from the source that the target has. When that fails, it may have been done nevertheless: a node that is killed
 * has perhaps written it down, and not answered.
 * @throws as `unlinkKeys`
 */
export async function unlinkCopied(
  source: NodeLink,
  database: number,
  keys: readonly Buffer[],
  half: HalfMoved,
): Promise<void> {
  try {
    await unlinkKeys(source, database, keys);
  } catch (error) {
    half.onCopied(keys);
    throw error;
  }
}

/**
 * Removes copies that may be from the past.
 * @returns how many of the keys read as missing now that did not before
 * @throws TransferRefused, NodeFailure
 */
export async function dropCopies(
  source: NodeLink,
  target: NodeLink,
  database: number,
  keys: readonly Buffer[],
  verdict: Drops,
): Promise<number> {
  const word = verdict === 'drop' ? 'EXISTS' : 'UNLINK';
  const atTarget = await target.exchange(each(word, keys), keys.length, database);
  const atSource = await source.exchange(each('UNLINK', keys), keys.length, database);
  let dropped = 0;
  for (let i = 0; i < keys.length; i++) {
    const [there, here] = [atTarget[i] ?? null, atSource[i] ?? null];
    if (typeof there !== 'number') throw TransferRefused.by(target, there, word);
    if (typeof here !== 'number') throw TransferRefused.by(source, here, 'UNLINK');
    if (verdict === 'drop' ? here === 1 && there === 0 : here + there > 0) dropped++;
  }
  return dropped;
}

function each(word: string, keys: readonly Buffer[]): Uint8Array[] {
  return [requests(keys.map((key) => [word, key]))];
}

/** The target has the key already: what it has counts. */
function isBusyKey(reply: ReplyValue): boolean {
  return reply instanceof ReplyError && saysBusyKey(reply.message);
}
