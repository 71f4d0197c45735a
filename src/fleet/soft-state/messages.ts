/**
 * What members send each other of their soft state, as JSON. Whatever comes from a peer may be of another version, or
 * garbage: it is read by these functions, which give null for what does not fit, and skip what they do not know.
 */
import { isActor } from '../crdt/hybrid-clock.js';
import { isCount, isRecord } from '../crdt/lattice.js';

/** Another number: what is said under it means something else. Fields and documents that are added need none. */
export const FORMAT = 1;

/** Of each member, up to which of its changes everything is known. */
export type Known = ReadonlyMap<string, number>;

/** One part of a document of a branch: a delta, or all of it. `change` is the number of its owner's change. */
export interface Row {
  readonly change: number;
  readonly document: string;
  readonly part: number;
  readonly body: unknown;
}

/** What a branch has become between two of its owner's changes. */
export interface Gift {
  readonly of: string;
  /** Who knows everything up to this change may take it. */
  readonly from: number;
  /** And knows everything up to this one then. */
  readonly to: number;
  /** Rows are deltas; otherwise whole parts, in the place of what was there. */
  readonly isDelta: boolean;
  /** The owner itself says that whatever is known of it is to be forgotten first. */
  readonly anew: boolean;
  readonly rows: readonly Row[];
}

/** By owner, by document. */
export type Digests = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Where two members differ that should not: the digests of all parts of a document of a branch. */
export interface Difference {
  readonly of: string;
  readonly document: string;
  readonly parts: ReadonlyMap<number, string>;
}

/** A whole part, as its sender has it. */
export interface Mend extends Row {
  readonly of: string;
}

export interface Question {
  readonly from: string;
  readonly known: Known;
  readonly gifts: readonly Gift[];
  readonly digests: Digests;
  readonly mends: readonly Mend[];
}

export interface Answer {
  readonly known: Known;
  readonly gifts: readonly Gift[];
  /** There is more than went into this one. */
  readonly hasMore: boolean;
  /** Of the message. */
  readonly bytes: number;
  readonly differences: readonly Difference[];
  readonly mends: readonly Mend[];
}

export function encodeQuestion({ from, known, gifts, digests, mends }: Question): Buffer {
  return toBytes({
    v: FORMAT,
    from,
    known: Object.fromEntries(known),
    ...(gifts.length > 0 && { gifts: gifts.map(encodeGift) }),
    ...(digests.size > 0 && {
      digests: Object.fromEntries([...digests].map(([of, documents]) => [of, Object.fromEntries(documents)])),
    }),
    ...(mends.length > 0 && { mends: mends.map(encodeMend) }),
  });
}

export function encodeAnswer({ known, gifts, hasMore, differences, mends }: Omit<Answer, 'bytes'>): Buffer {
  return toBytes({
    v: FORMAT,
    known: Object.fromEntries(known),
    ...(gifts.length > 0 && { gifts: gifts.map(encodeGift) }),
    ...(hasMore && { more: true }),
    ...(differences.length > 0 && {
      differ: differences.map(({ of, document, parts }) => [of, document, Object.fromEntries(parts)]),
    }),
    ...(mends.length > 0 && { mends: mends.map(encodeMend) }),
  });
}

/** @returns null: it is none, or of another format */
export function decodeQuestion(bytes: unknown): Question | null {
  const message = fromBytes(bytes);
  const known = decodeCounts(message?.known);
  const gifts = decodeList(message?.gifts, decodeGift);
  const digests = decodeDigests(message?.digests);
  const mends = decodeList(message?.mends, decodeMend);
  const from = message?.from;
  if (!isActor(from) || known === null || gifts === null || digests === null || mends === null) return null;
  return { from, known, gifts, digests, mends };
}

/** @returns null: it is none, or of another format */
export function decodeAnswer(bytes: unknown): Answer | null {
  const message = fromBytes(bytes);
  const known = decodeCounts(message?.known);
  const gifts = decodeList(message?.gifts, decodeGift);
  const differences = decodeList(message?.differ, decodeDifference);
  const mends = decodeList(message?.mends, decodeMend);
  if (known === null || gifts === null || differences === null || mends === null) return null;
  const size = Buffer.isBuffer(bytes) ? bytes.length : 0;
  return { known, gifts, hasMore: message?.more === true, bytes: size, differences, mends };
}

function toBytes(message: object): Buffer {
  return Buffer.from(JSON.stringify(message));
}

function fromBytes(bytes: unknown): Readonly<Record<string, unknown>> | null {
  if (!Buffer.isBuffer(bytes)) return null;
  let message: unknown;
  try {
    message = JSON.parse(bytes.toString());
  } catch {
    return null;
  }
  return isRecord(message) && message.v === FORMAT ? message : null;
}

function encodeGift({ of, from, to, isDelta, anew, rows }: Gift): object {
  return { of, from, to, ...(anew && { anew }), [isDelta ? 'deltas' : 'parts']: rows.map(encodeRow) };
}

function decodeGift(value: unknown): Gift | null {
  if (!isRecord(value)) return null;
  const { of, from, to, anew } = value;
  const isDelta = value.deltas !== undefined;
  const rows = decodeList(isDelta ? value.deltas : value.parts, decodeRow);
  if (!isActor(of) || !isCount(from) || !isCount(to) || from > to || rows === null) return null;
  return { of, from, to, isDelta, anew: anew === true, rows };
}

function encodeRow({ change, document, part, body }: Row): readonly unknown[] {
  return [change, document, part, body];
}

function decodeRow(value: unknown): Row | null {
  if (!Array.isArray(value) || value.length !== 4) return null;
  const [change, document, part, body]: readonly unknown[] = value;
  if (!isCount(change) || typeof document !== 'string' || !isCount(part)) return null;
  return { change, document, part, body };
}

function encodeMend(mend: Mend): readonly unknown[] {
  return [mend.of, ...encodeRow(mend)];
}

function decodeMend(value: unknown): Mend | null {
  if (!Array.isArray(value)) return null;
  const [of, ...rest]: readonly unknown[] = value;
  const row = decodeRow(rest);
  return isActor(of) && row !== null ? { of, ...row } : null;
}

function decodeDigests(value: unknown): Digests | null {
  if (value === undefined) return new Map();
  if (!isRecord(value)) return null;
  const digests = new Map<string, ReadonlyMap<string, string>>();
  for (const [of, documents] of Object.entries(value)) {
    if (!isActor(of) || !isRecord(documents)) return null;
    const texts = decodeTexts(documents);
    if (texts === null) return null;
    digests.set(of, texts);
  }
  return digests;
}

function decodeDifference(value: unknown): Difference | null {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [of, document, encoded]: readonly unknown[] = value;
  const texts = isRecord(encoded) ? decodeTexts(encoded) : null;
  if (!isActor(of) || typeof document !== 'string' || texts === null) return null;
  const parts = new Map<number, string>();
  for (const [part, text] of texts) {
    const number = Number(part);
    if (!isCount(number)) return null;
    parts.set(number, text);
  }
  return { of, document, parts };
}

function decodeTexts(value: Readonly<Record<string, unknown>>): Map<string, string> | null {
  const texts = new Map<string, string>();
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') return null;
    texts.set(name, text);
  }
  return texts;
}

function decodeCounts(value: unknown): Known | null {
  if (!isRecord(value)) return null;
  const counts = new Map<string, number>();
  for (const [member, count] of Object.entries(value)) {
    if (!isActor(member) || !isCount(count)) return null;
    counts.set(member, count);
  }
  return counts;
}

function decodeList<T>(value: unknown, decode: (item: unknown) => T | null): T[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return null;
  const list: T[] = [];
  for (const item of value as readonly unknown[]) {
    const decoded = decode(item);
    if (decoded === null) return null;
    list.push(decoded);
  }
  return list;
}

/** @returns bytes of a body when it is sent, nearly */
export function sizeOf(body: unknown): number {
  return Buffer.byteLength(JSON.stringify(body) ?? '');
}
