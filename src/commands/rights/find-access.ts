/**
 * Finds the keys of a frame with what is done to them, as Redis 7.0 does before it looks at a user's rights (db.c:
 * getKeysFromCommandWithSpecs): first by the specifications, and where these do not fit the arguments, by looser ones.
 */
import { equalsIgnoreCase } from '../../resp/bytes.js';
import type { Command } from '../command.js';
import { type KeySpec, READ, WRITE } from './access.js';

/** A command's arguments, of which the first is its name. */
export interface Words {
  readonly source: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Where the command begins among the arguments (ACL DRYRUN has another one's arguments behind its own). */
  readonly from: number;
  /** How many arguments the command has. */
  readonly argc: number;
}

/** What `findAccess` has found, one behind the other. */
export const found: { at: Int32Array; access: Uint8Array } = { at: new Int32Array(64), access: new Uint8Array(64) };

/** It cannot be known which keys the command has. */
export const UNKNOWN = -1;
const MISFIT = -2;

/** @returns how many keys there are, whose positions (counted from the command's name) are in `found`; or `UNKNOWN` */
export function findAccess(command: Command, words: Words): number {
  const { keySpecs } = command;
  let count = 0;
  for (const spec of keySpecs) {
    const more = bySpec(spec, words, count);
    if (more === UNKNOWN) return UNKNOWN;
    if (more === MISFIT) return loosely(keySpecs, words, count);
    count = more;
  }
  return count;
}

function bySpec(spec: KeySpec, words: Words, count: number): number {
  switch (spec.kind) {
    case 'set':
      return add(count, 1, hasWord(words, 3, GET) ? READ | WRITE : WRITE);
    case 'bitfield':
      return add(count, 1, isReadOnlyBitfield(words) ? READ : READ | WRITE);
    case 'sort':
      return ofSort(words, count);
    case 'unknown':
      return UNKNOWN;
    case 'range': {
      const first = begins(spec, words);
      if (first === 0) return count;
      const last =
        spec.last >= 0
          ? first + spec.last
          : spec.part === 0
            ? words.argc + spec.last
            : first + Math.floor((words.argc - first) / spec.part) + spec.last;
      return addAll(count, first, last, spec.step, spec.access, words);
    }
    case 'count': {
      const declared = strictCount(textAt(words, spec.first));
      if (declared === null) return MISFIT;
      return addAll(count, spec.first + 1, spec.first + declared, 1, spec.access, words);
    }
  }
}

/** @returns where the first key is; 0: nowhere */
function begins(spec: { readonly first: number; readonly word: string | null }, words: Words): number {
  if (spec.word === null) return spec.first;
  const { argc } = words;
  // The last argument is not looked at, since a key must follow; with fewer than that, Redis looks backwards.
  const down = spec.first > argc - 1;
  for (let at = spec.first; at !== argc - 1; at += down ? -1 : 1) {
    if (at >= argc || at < 1) break;
    if (isWord(words, at, wordBytes(spec.word))) return at + 1;
  }
  return 0;
}

/**
 * The arguments do not fit the specifications. Redis then takes what older code finds, and asks for no right but that
 * the names are within reach; where there is no such code it takes none, here what was found up to there.
 */
function loosely(specs: readonly KeySpec[], words: Words, count: number): number {
  const [first, second] = specs;
  if (first === undefined) return 0;
  const counted = specs.find((spec) => spec.kind === 'count');
  if (counted !== undefined) {
    const declared = looseCount(textAt(words, counted.first));
    if (declared < 1 || declared > words.argc - counted.first - 1) return 0;
    let total = 0;
    for (let i = 1; i <= declared; i++) total = add(total, counted.first + i, 0);
    return first.kind === 'range' ? add(total, 1, 0) : total;
  }
  if (second?.kind === 'range' && second.word === 'store') return looselyStored(words);
  if (first.kind === 'range' && first.word === 'streams') return looselyStreamed(words);
  return count;
}

/** GEORADIUS: of several keys to store to the last one counts. */
function looselyStored(words: Words): number {
  let stored = 0;
  for (let at = 5; at < words.argc - 1; at++) {
    if (isWord(words, at, STORE) || isWord(words, at, STOREDIST)) stored = ++at;
  }
  const count = add(0, 1, 0);
  return stored === 0 ? count : add(count, stored, 0);
}

/** XREAD: options are passed over up to STREAMS. */
function looselyStreamed(words: Words): number {
  const { argc } = words;
  let streams = 0;
  for (let at = 1; at < argc && streams === 0; at++) {
    if (isWord(words, at, BLOCK) || isWord(words, at, COUNT)) at++;
    else if (isWord(words, at, GROUP)) at += 2;
    else if (isWord(words, at, STREAMS)) streams = at;
    else if (!isWord(words, at, NOACK)) break;
  }
  const behind = argc - streams - 1;
  if (streams === 0 || behind === 0 || behind % 2 !== 0) return 0;
  let count = 0;
  for (let i = 1; i <= behind / 2; i++) count = add(count, streams + i, 0);
  return count;
}

/** Of several keys to store to the last one counts; arguments of LIMIT, GET and BY are passed over. */
function ofSort(words: Words, count: number): number {
  let stored = 0;
  for (let at = 2; at < words.argc; at++) {
    if (isWord(words, at, LIMIT)) at += 2;
    else if (isWord(words, at, GET) || isWord(words, at, BY)) at++;
    else if (isWord(words, at, STORE) && at + 1 < words.argc) stored = at + 1;
  }
  const sorted = add(count, 1, READ);
  return stored === 0 ? sorted : add(sorted, stored, WRITE);
}

function isReadOnlyBitfield(words: Words): boolean {
  for (let at = 2; at < words.argc; at++) {
    const behind = words.argc - at - 1;
    if (isWord(words, at, GET) && behind >= 2) at += 2;
    else if (isWord(words, at, OVERFLOW) && behind >= 1) at++;
    else return false;
  }
  return true;
}

function addAll(count: number, first: number, last: number, step: number, access: number, words: Words): number {
  if (last >= words.argc || last < first || first >= words.argc) return MISFIT;
  let total = count;
  for (let at = first; at <= last; at += step) total = add(total, at, access);
  return total;
}

function add(count: number, at: number, access: number): number {
  if (count === found.at.length) {
    const { at: places, access: rights } = found;
    found.at = new Int32Array(count * 2);
    found.access = new Uint8Array(count * 2);
    found.at.set(places);
    found.access.set(rights);
  }
  found.at[count] = at;
  found.access[count] = access;
  return count + 1;
}

/** A count as Redis reads integers of 64 bits, cut to 32 bits as Redis cuts it; null: it is none. */
function strictCount(text: string): number | null {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return null;
  const value = BigInt(text);
  if (value < 0n || value >= 2n ** 63n) return null;
  return Number(BigInt.asIntN(32, value));
}

/** As C's `atoi` reads it: the digits in front. */
function looseCount(text: string): number {
  const digits = /^[\s]*([+-]?\d{1,19})/.exec(text)?.[1];
  if (digits === undefined) return 0;
  return Number(BigInt.asIntN(32, BigInt(digits.replace('+', ''))));
}

function textAt(words: Words, at: number): string {
  if (at >= words.argc) return '';
  const { source, start, end, from } = words;
  return Buffer.from(source.subarray(start[from + at], end[from + at])).toString('latin1');
}

function hasWord(words: Words, from: number, word: Uint8Array): boolean {
  for (let at = from; at < words.argc; at++) if (isWord(words, at, word)) return true;
  return false;
}

function isWord({ source, start, end, from }: Words, at: number, word: Uint8Array): boolean {
  return equalsIgnoreCase(source, start[from + at] as number, end[from + at] as number, word);
}

const wordsSeen = new Map<string, Uint8Array>();

function wordBytes(word: string): Uint8Array {
  let bytes = wordsSeen.get(word);
  if (bytes === undefined) {
    bytes = Buffer.from(word);
    wordsSeen.set(word, bytes);
  }
  return bytes;
}

const GET = Buffer.from('get');
const BY = Buffer.from('by');
const LIMIT = Buffer.from('limit');
const STORE = Buffer.from('store');
const STOREDIST = Buffer.from('storedist');
const OVERFLOW = Buffer.from('overflow');
const BLOCK = Buffer.from('block');
const COUNT = Buffer.from('count');
const GROUP = Buffer.from('group');
const NOACK = Buffer.from('noack');
const STREAMS = Buffer.from('streams');
