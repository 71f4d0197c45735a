/** Hashes, sets, sorted sets and lists in pieces: pages of elements. */
import { isUnknownCommand } from '../../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../../resp/decode.js';
import { request, type Words } from '../../resp/encode.js';
import { TransferRefused } from '../transfer-refused.js';
import { askSource, askTarget, goOn, type LargeMove, NotInPieces, refuseDifference, writePiece } from './large-move.js';

/** Bytes of a page, about: elements are as large as those of the page before were. */
const PAGE_BYTES = 131_072;
/** Of a page, at most: so many take a node well below a millisecond. */
const PAGE_ELEMENTS = 300;
/** Of the first page, of which nobody knows how large its elements are; then pages grow. */
const FIRST_PAGE = 10;

export interface ElementType {
  readonly what: string;
  readonly length: string;
  /** Reads a page: with a cursor, or from a position on. */
  readonly read: 'HSCAN' | 'SSCAN' | 'ZSCAN' | 'LRANGE';
  /** What is written for the values of a page. */
  readonly write: (part: Buffer, values: readonly Buffer[]) => Words;
  /** Values of an element. */
  readonly width: number;
}

const hash: ElementType = {
  ...{ what: 'fields', length: 'HLEN', read: 'HSCAN', width: 2 },
  write: (part, values) => ['HSET', part, ...values],
};

export const ELEMENT_TYPES: Readonly<Record<string, ElementType | undefined>> = {
  hash,
  set: {
    ...{ what: 'members', length: 'SCARD', read: 'SSCAN', width: 1 },
    write: (part, values) => ['SADD', part, ...values],
  },
  zset: {
    ...{ what: 'members', length: 'ZCARD', read: 'ZSCAN', width: 2 },
    // Members stand in front of their scores, and are to stand behind them.
    write: (part, values) => ['ZADD', part, ...values.map((_value, i) => values[i ^ 1] as Buffer)],
  },
  list: {
    ...{ what: 'elements', length: 'LLEN', read: 'LRANGE', width: 1 },
    write: (part, values) => ['RPUSH', part, ...values],
  },
};

interface Page {
  readonly values: readonly Buffer[];
  /** Where the next one begins; null: it was the last one. */
  readonly next: string | null;
}

/**
 * Writes all elements into the part. A SCAN may return an element twice, which does no harm, and returns each that was
 * there all the time, as all of them were.
 * @returns false when the source does not have the value any more
 */
export async function copyElements(move: LargeMove, type: ElementType): Promise<boolean> {
  let count = FIRST_PAGE;
  let page = await readPage(move, type, '0', count);
  const mayExpire = type === hash && (await fieldsMayExpire(move, page.values[0]));
  for (;;) {
    await goOn(move);
    count = nextCount(page.values, type.width, count);
    const { values, next } = page;
    if (mayExpire) await refuseTimes(move, values);
    // The source reads the next page while the target writes this one.
    const reading = next === null ? null : readPage(move, type, next, count);
    reading?.catch(() => {});
    if (values.length > 0) await writePiece(move, [type.write(move.part, values)]);
    if (reading === null) break;
    page = await reading;
  }
  const [there = null] = await askSource(move, [[type.length, move.key]]);
  if (there === 0) return false;
  const [copied = null] = await askTarget(move, [[type.length, move.part]]);
  refuseDifference(move, type.what, Number(copied), Number(there));
  return true;
}

function nextCount(values: readonly Buffer[], width: number, before: number): number {
  if (values.length === 0) return before;
  const bytes = values.reduce((sum, value) => sum + value.length, 0) / (values.length / width);
  return Math.max(1, Math.min(PAGE_ELEMENTS, before * 4, Math.floor(PAGE_BYTES / Math.max(1, bytes))));
}

async function readPage(move: LargeMove, type: ElementType, from: string, count: number): Promise<Page> {
  const { key, source } = move;
  if (type.read === 'LRANGE') {
    const start = Number(from);
    const [reply = null] = await askSource(move, [['LRANGE', key, from, String(start + count - 1)]]);
    const values = buffersOf(reply);
    if (values === null) throw TransferRefused.by(source, reply, type.read);
    return { values, next: values.length < count ? null : String(start + values.length) };
  }
  const [reply = null] = await askSource(move, [[type.read, key, from, 'COUNT', String(count)]]);
  const [cursor = null, found = null] = Array.isArray(reply) ? reply : [];
  const values = buffersOf(found);
  if (values === null || !Buffer.isBuffer(cursor)) throw TransferRefused.by(source, reply, type.read);
  return { values, next: cursor.toString() === '0' ? null : cursor.toString() };
}

function buffersOf(reply: ReplyValue): readonly Buffer[] | null {
  if (!Array.isArray(reply)) return null;
  const values = reply.filter(Buffer.isBuffer);
  return values.length === reply.length ? values : null;
}

/** Fields have times of expiry of their own from Redis 7.4 on, of which HSCAN does not tell. */
async function fieldsMayExpire({ source, database, key }: LargeMove, field: Buffer | undefined): Promise<boolean> {
  if (field === undefined) return false;
  const [reply] = await source.exchange([request(['HPEXPIRETIME', key, 'FIELDS', '1', field])], 1, database);
  return !(reply instanceof ReplyError && isUnknownCommand(reply.message));
}

/** @throws NotInPieces when one of the fields expires by itself */
async function refuseTimes(move: LargeMove, values: readonly Buffer[]): Promise<void> {
  const fields = values.filter((_value, i) => i % 2 === 0);
  if (fields.length === 0) return;
  const [times = null] = await askSource(move, [
    ['HPEXPIRETIME', move.key, 'FIELDS', String(fields.length), ...fields],
  ]);
  if (!Array.isArray(times) || times.some((time) => typeof time !== 'number' || time >= 0)) throw new NotInPieces();
}
