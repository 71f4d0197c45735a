/**
 * Strings in pieces: one SET whose value is passed on as the source gives it, range by range. A node takes in a large value
 * as it comes, between other clients' commands, and then has it without copying it; to append pieces to a key would have it
 * copied whole whenever it outgrows its place. There is no unfinished copy: a SET that is cut has never been one.
 */
import { isForbidden } from '../../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../../resp/decode.js';
import { TransferRefused } from '../transfer-refused.js';
import { askSource, askTarget, goOn, type LargeMove, NotInPieces } from './large-move.js';

/** Bytes of a range. */
const RANGE_BYTES = 524_288;

/** The source does not have the value any more. */
class Vanished extends Error {}

/**
 * @param expireAt as PEXPIREAT takes it; 0: never
 * @param isOffer whether a value that the target has counts
 * @returns false when the source does not have the value any more
 */
export async function copyText(move: LargeMove, expireAt: number, isOffer: boolean): Promise<boolean> {
  const { target, database, key } = move;
  const [length = null, isThere] = await askSource(move, [
    ['STRLEN', key],
    ['EXISTS', key],
  ]);
  if (typeof length !== 'number') throw TransferRefused.by(move.source, length, 'STRLEN');
  if (isThere === 0) return false;
  // What SET replaces is removed at once, which stops the node when it is large.
  if (!isOffer) await askTarget(move, [['UNLINK', key]]);
  const word = isOffer ? 'SETNX' : 'SET';
  let reply: ReplyValue;
  try {
    // The first range is there before anything is sent: it may be forbidden to read any.
    reply = await target.stream(wordsOf(move, word, length, await rangeOf(move, 0, length)), database);
  } catch (error) {
    if (error instanceof Vanished) return false;
    throw error;
  }
  if (reply instanceof ReplyError) {
    if (isForbidden(reply.message)) throw new NotInPieces();
    throw TransferRefused.by(target, reply, word);
  }
  // What the target had counts, with its own time.
  if (reply === 0) return true;
  if (expireAt > 0) await askTarget(move, [['PEXPIREAT', key, String(expireAt)]]);
  return true;
}

/** The command, piece by piece. @throws when it cannot be finished */
async function* wordsOf(move: LargeMove, word: string, length: number, first: Buffer): AsyncGenerator<Uint8Array> {
  const { key } = move;
  yield Buffer.from(`*3\r\n$${word.length}\r\n${word}\r\n$${key.length}\r\n`);
  yield key;
  yield Buffer.from(`\r\n$${length}\r\n`);
  let range = first;
  for (let at = range.length; ; at += range.length) {
    // The source reads the next range while the target takes this one.
    const next = at < length ? rangeOf(move, at, length) : null;
    next?.catch(() => {});
    yield range;
    if (next === null) break;
    await goOn(move);
    range = await next;
  }
  yield CRLF;
}

const CRLF = Buffer.from('\r\n');

/** @throws Vanished, TransferRefused, NodeFailure */
async function rangeOf(move: LargeMove, at: number, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  const end = Math.min(length, at + RANGE_BYTES);
  const [range = null] = await askSource(move, [['GETRANGE', move.key, String(at), String(end - 1)]]);
  if (!Buffer.isBuffer(range)) throw TransferRefused.by(move.source, range, 'GETRANGE');
  if (range.length !== end - at) throw new Vanished();
  return range;
}
