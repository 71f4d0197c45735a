/**
 * Streams in pieces: entries, and of each group its consumers, what is pending, and how far it has read.
 *
 * An entry may be pending that was deleted since: XCLAIM takes none that the stream does not have, so such entries are
 * written (without a value), claimed, and removed again: by XDEL, or by XTRIM where nothing was ever deleted from the stream
 * but by trimming, since XSETID, which says in the end what has been added and deleted ever, cannot take that back.
 * What no command tells, and so does not survive, is when a consumer was last seen: that counts from the move on.
 */
import type { ReplyValue } from '../../resp/decode.js';
import type { Words } from '../../resp/encode.js';
import { expiryAt, nowAt } from '../times.js';
import { TransferRefused } from '../transfer-refused.js';
import { askSource, askTarget, goOn, type LargeMove, writePiece } from './large-move.js';

/** Entries, or pending ones of a group, that one page has at most. */
const PAGE_ENTRIES = 200;
const PAGE_BYTES = 131_072;
const FIRST_PAGE = 10;

interface Group {
  readonly name: Buffer;
  /** What is compared in the end. */
  readonly fields: ReadonlyMap<string, ReplyValue>;
}

interface Entry {
  readonly id: string;
  readonly fields: readonly Buffer[];
}

interface Pending {
  readonly group: Buffer;
  readonly id: string;
  readonly consumer: Buffer;
  /** Milliseconds since it was delivered. */
  readonly idle: number;
  readonly deliveries: number;
}

/** @returns false when the source does not have the stream any more. @throws as `moveInPieces` */
export async function copyStream(move: LargeMove): Promise<boolean> {
  try {
    await copy(move);
    return true;
  } catch (error) {
    if (!(error instanceof TransferRefused)) throw error;
    const [isThere] = await askSource(move, [['EXISTS', move.key]]);
    if (isThere === 0) return false;
    // The target has evicted what was written, and what has been written since has no groups.
    if (error.lacks === 'group') throw TransferRefused.byCopy(move.target, 'a part of a stream');
    throw error;
  }
}

async function copy(move: LargeMove): Promise<void> {
  const [stream = null, listed = null] = await askSource(move, [
    ['XINFO', 'STREAM', move.key],
    ['XINFO', 'GROUPS', move.key],
  ]);
  const about = fieldsOf(stream);
  const groups = groupsOf(listed);
  await makeGroups(move, groups);
  const pendingGroups = groups.filter(({ fields }) => fields.get('pending') !== 0);
  const isOnlyTrimmed = about.get('max-deleted-entry-id') === NONE;
  let hasEntries = false;
  let count = FIRST_PAGE;
  for (let start = '-'; ; ) {
    await goOn(move);
    const { entries, pending, end } = await readRange(move, start, count, pendingGroups);
    await writeRange(move, entries, pending, isOnlyTrimmed && !hasEntries);
    hasEntries ||= entries.length > 0;
    if (end === null) break;
    start = `(${end}`;
    count = nextCount(entries, count);
  }
  await writePiece(move, [setId(move.part, about)]);
  await refuseOther(move);
}

async function makeGroups(move: LargeMove, groups: readonly Group[]): Promise<void> {
  const { part, key } = move;
  // A stream may have neither entries nor groups.
  await writePiece(move, [
    ['XGROUP', 'CREATE', part, 'none', '0', 'MKSTREAM'],
    ['XGROUP', 'DESTROY', part, 'none'],
  ]);
  for (const { name, fields } of groups) {
    const read = fields.get('entries-read');
    const position = typeof read === 'number' ? ['ENTRIESREAD', String(read)] : [];
    const [listed = null] = await askSource(move, [['XINFO', 'CONSUMERS', key, name]]);
    const consumers = Array.isArray(listed) ? listed.map((one) => bytesOf(fieldsOf(one).get('name'))) : [];
    await writePiece(move, [
      ['XGROUP', 'CREATE', part, name, String(fields.get('last-delivered-id')), ...position],
      ...consumers.map((consumer) => ['XGROUP', 'CREATECONSUMER', part, name, consumer]),
    ]);
  }
}

interface Range {
  readonly entries: readonly Entry[];
  readonly pending: readonly Pending[];
  /** What it reaches to; null: to the end. */
  readonly end: string | null;
}

/** Reads what stands behind `start`, as far as each page reaches: of the entries, and of what is pending in each group. */
async function readRange(move: LargeMove, start: string, count: number, groups: readonly Group[]): Promise<Range> {
  const { key } = move;
  const [page = null, ...lists] = await askSource(move, [
    ['XRANGE', key, start, '+', 'COUNT', String(count)],
    ...groups.map(({ name }) => ['XPENDING', key, name, start, '+', String(PAGE_ENTRIES)]),
  ]);
  const entries = Array.isArray(page) ? page.map(entryOf) : [];
  const pending = lists.map((list, i) => pendingOf((groups[i] as Group).name, list));
  const ends = [
    ...(entries.length === count ? entries.slice(-1) : []),
    ...pending.flatMap((list) => (list.length === PAGE_ENTRIES ? list.slice(-1) : [])),
  ].map(({ id }) => id);
  if (ends.length === 0) return { entries, pending: pending.flat(), end: null };
  const end = ends.reduce((least, id) => (compareIds(id, least) < 0 ? id : least));
  const isWithin = ({ id }: { readonly id: string }): boolean => compareIds(id, end) <= 0;
  return { entries: entries.filter(isWithin), pending: pending.flat().filter(isWithin), end };
}

/** @param trims whether all that was deleted stood in front of the entries, of which none is written yet */
async function writeRange(
  move: LargeMove,
  entries: readonly Entry[],
  pending: readonly Pending[],
  trims: boolean,
): Promise<void> {
  const { source, target, part } = move;
  const there = new Set(entries.map(({ id }) => id));
  const deleted = [...new Set(pending.map(({ id }) => id).filter((id) => !there.has(id)))];
  const ghosts = deleted.map((id): Entry => ({ id, fields: [GHOST, GHOST] }));
  const all = [...entries, ...ghosts].sort((a, b) => compareIds(a.id, b.id));
  const now = nowAt(source);
  const frames: Words[] = [
    ...all.map(({ id, fields }) => ['XADD', part, id, ...fields]),
    ...pending.map(({ group, consumer, id, idle, deliveries }) => [
      ...['XCLAIM', part, group, consumer, '0', id],
      ...['TIME', String(expiryAt(source, target, Math.round(now - idle))), 'RETRYCOUNT', String(deliveries)],
      ...['FORCE', 'JUSTID'],
    ]),
  ];
  if (deleted.length > 0) frames.push(removalOf(part, deleted, entries[0]?.id ?? null, trims));
  if (frames.length > 0) await writePiece(move, frames);
}

/** @param first id of the first entry of the page, or null */
function removalOf(part: Buffer, deleted: readonly string[], first: string | null, trims: boolean): Words {
  const areInFront = first === null || deleted.every((id) => compareIds(id, first) < 0);
  if (!trims || !areInFront) return ['XDEL', part, ...deleted];
  return first === null ? ['XTRIM', part, 'MAXLEN', '0'] : ['XTRIM', part, 'MINID', first];
}

const GHOST = Buffer.from('-');
/** No id: nothing was ever deleted. */
const NONE = '0-0';

/** Before Redis 7 a stream knows its last id alone. */
function setId(part: Buffer, about: ReadonlyMap<string, ReplyValue>): Words {
  const added = about.get('entries-added');
  const last = ['XSETID', part, String(about.get('last-generated-id'))];
  if (typeof added !== 'number') return last;
  return [...last, 'ENTRIESADDED', String(added), 'MAXDELETEDID', String(about.get('max-deleted-entry-id'))];
}

/** Without what was deleted last: a stream of an older Redis does not know that of itself. */
const COMPARED_OF_STREAM = ['length', 'last-generated-id', 'entries-added'];
const COMPARED_OF_GROUP = ['name', 'consumers', 'pending', 'last-delivered-id', 'entries-read'];

/** @throws TransferRefused when the copy is not what the source has */
async function refuseOther(move: LargeMove): Promise<void> {
  const [here, there] = await Promise.all([
    askSource(move, summaryOf(move.key)).then(summed),
    askTarget(move, summaryOf(move.part)).then(summed),
  ]);
  if (here !== there) throw TransferRefused.byCopy(move.target, `${there} instead of ${here}`);
}

function summaryOf(key: Buffer): Words[] {
  return [
    ['XINFO', 'STREAM', key],
    ['XINFO', 'GROUPS', key],
  ];
}

function summed([stream = null, groups = null]: readonly ReplyValue[]): string {
  const text = (fields: ReadonlyMap<string, ReplyValue>, names: readonly string[]): string =>
    names.map((name) => `${name} ${textOf(fields.get(name) ?? null)}`).join(', ');
  const ofGroups = groupsOf(groups).map(({ fields }) => text(fields, COMPARED_OF_GROUP));
  return [text(fieldsOf(stream), COMPARED_OF_STREAM), ...ofGroups.sort()].join('; ');
}

function groupsOf(reply: ReplyValue): Group[] {
  if (!Array.isArray(reply)) return [];
  return reply.map((one) => {
    const fields = fieldsOf(one);
    return { name: bytesOf(fields.get('name')), fields };
  });
}

/** @param reply names and values by turns */
function fieldsOf(reply: ReplyValue): Map<string, ReplyValue> {
  const words = Array.isArray(reply) ? reply : [];
  const fields = new Map<string, ReplyValue>();
  for (let i = 0; i + 1 < words.length; i += 2) fields.set(textOf(words[i] ?? null), words[i + 1] ?? null);
  return new Map([...fields].map(([name, value]) => [name, isId(name) ? textOf(value) : value]));
}

function isId(name: string): boolean {
  return name.endsWith('-id');
}

function entryOf(reply: ReplyValue): Entry {
  const [id = null, fields = null] = Array.isArray(reply) ? reply : [];
  return { id: textOf(id), fields: Array.isArray(fields) ? fields.filter(Buffer.isBuffer) : [] };
}

function pendingOf(group: Buffer, reply: ReplyValue): Pending[] {
  if (!Array.isArray(reply)) return [];
  return reply.map((one) => {
    const [id = null, consumer = null, idle, deliveries] = Array.isArray(one) ? one : [];
    return { group, id: textOf(id), consumer: bytesOf(consumer), idle: Number(idle), deliveries: Number(deliveries) };
  });
}

function nextCount(entries: readonly Entry[], before: number): number {
  if (entries.length === 0) return before;
  const bytes = entries.reduce((sum, { fields }) => sum + fields.reduce((all, field) => all + field.length, 0), 0);
  const wanted = Math.floor(PAGE_BYTES / Math.max(1, bytes / entries.length));
  return Math.max(1, Math.min(PAGE_ENTRIES, before * 4, wanted));
}

function bytesOf(value: ReplyValue | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}

/** A character for each byte. */
function textOf(value: ReplyValue): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

/** Ids are `milliseconds-sequence`, each of up to 64 bits. */
function compareIds(a: string, b: string): number {
  const [aTime, aSequence] = partsOf(a);
  const [bTime, bSequence] = partsOf(b);
  if (aTime !== bTime) return aTime < bTime ? -1 : 1;
  return aSequence === bSequence ? 0 : aSequence < bSequence ? -1 : 1;
}

function partsOf(id: string): [bigint, bigint] {
  const [time = '0', sequence = '0'] = id.split('-');
  return [BigInt(time), BigInt(sequence)];
}
