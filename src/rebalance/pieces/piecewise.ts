/**
 * Moves a value in pieces: one that is too large for a DUMP, which would stop the source for as long as it takes to write
 * the value out, and the target for as long as it takes to read it in.
 *
 *   source   HSCAN, SSCAN, ZSCAN, LRANGE, XRANGE …      a page, which is small
 *   target   HSET, SADD, ZADD, RPUSH, XADD …            into a key with a reserved name, that expires by itself
 *   target   lengths are compared; PEXPIREAT or PERSIST; RENAME into place
 *   source   UNLINK
 *
 * That takes many commands, and is as sound as a single one: after the fence nobody writes a moved key at its source, so
 * all pages are of one value, and whoever needs the key waits until it has arrived. The value may only vanish: it expires,
 * or is evicted; then the source has none in the end, and what was copied of it is removed. The copy may vanish as well, since the
 * target evicts keys: what is written on into an empty key then is too short in the end, and the copying begins anew.
 *
 * What a mover that was killed has left expires within a minute; whoever moves the key next removes it first.
 * Strings go as one command whose value is passed on piece by piece: see `text.ts`.
 */
import type { Words } from '../../resp/encode.js';
import type { Moved } from '../copy.js';
import { expiriesOf, expiryAt, NOT_THERE } from '../times.js';
import { unlinkCopied } from '../transfer.js';
import { TransferRefused } from '../transfer-refused.js';
import type { HalfMoved, Moves } from '../trust.js';
import { unlinkKeys } from '../unlink.js';
import { copyElements, ELEMENT_TYPES } from './elements.js';
import { askSource, askTarget, type LargeMove, NotInPieces } from './large-move.js';
import { copyStream } from './streams.js';
import { copyText } from './text.js';

/**
 * @param verdict which copies count
 * @param half is told when it throws, and the target has the value
 * @returns null when the value cannot go in pieces: it is as it was
 * @throws TransferRefused, NodeFailure, MoveGivenUp
 */
export async function moveInPieces(move: LargeMove, verdict: Moves, half: HalfMoved): Promise<Moved | null> {
  try {
    return await moveBy(move, verdict, half);
  } catch (error) {
    if (error instanceof NotInPieces) return null;
    throw error;
  }
}

async function moveBy(move: LargeMove, verdict: Moves, half: HalfMoved): Promise<Moved> {
  const { source, target, database, key } = move;
  const [type] = await askSource(move, [['TYPE', key]]);
  if (type === 'none') return missing(move, verdict);
  if (verdict === 'offer' && (await isThere(move))) {
    await unlinkCopied(source, database, [key], half);
    return { moved: true, dropped: 0 };
  }
  const [expiry = -1] = await expiriesOf(source, database, [key]);
  if (expiry === NOT_THERE) return missing(move, verdict);
  const at = expiryAt(source, target, expiry);
  const arrived =
    type === 'string' ? await copyText(move, at, verdict === 'offer') : await copyPart(move, String(type), at, verdict);
  if (!arrived) return missing(move, verdict);
  await unlinkCopied(source, database, [key], half);
  return { moved: true, dropped: 0 };
}

/** @returns false when the source does not have the value any more */
async function copyPart(move: LargeMove, type: string, expireAt: number, verdict: Moves): Promise<boolean> {
  const elements = ELEMENT_TYPES[type];
  if (elements === undefined && type !== 'stream') throw new NotInPieces();
  await askTarget(move, [['UNLINK', move.part]]);
  let isDone = false;
  try {
    const isWhole = elements === undefined ? await copyStream(move) : await copyElements(move, elements);
    if (!isWhole) return false;
    await putInPlace(move, expireAt, verdict);
    isDone = true;
    return true;
  } finally {
    // A connection that has failed carries nothing any more: then it expires.
    if (!isDone) await askTarget(move, [['UNLINK', move.part]]).catch(() => {});
  }
}

async function putInPlace(move: LargeMove, expireAt: number, verdict: Moves): Promise<void> {
  const { key, part } = move;
  const lasts: Words = expireAt === 0 ? ['PERSIST', part] : ['PEXPIREAT', part, String(expireAt)];
  const isOffer = verdict === 'offer';
  // RENAME would remove a large value that it replaces at once, and stop the node meanwhile.
  const words = isOffer ? [lasts, ['RENAMENX', part, key]] : [lasts, ['UNLINK', key], ['RENAME', part, key]];
  try {
    await askTarget(move, words);
  } catch (error) {
    // It has expired, or was evicted, between two commands.
    if (error instanceof TransferRefused && error.lacks === 'key') {
      throw TransferRefused.byCopy(move.target, 'nothing any more');
    }
    throw error;
  }
}

async function missing({ target, database, key }: LargeMove, verdict: Moves): Promise<Moved> {
  return { moved: false, dropped: verdict === 'move, clear' ? await unlinkKeys(target, database, [key]) : 0 };
}

async function isThere(move: LargeMove): Promise<boolean> {
  const [there] = await askTarget(move, [['EXISTS', move.key]]);
  return there === 1;
}
