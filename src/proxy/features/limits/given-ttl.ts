/** A time to live that a command says: where it stands, and the same command with another one. */
import type { TtlArgument, TtlGiven } from '../../../commands/columns.js';
import { equalsIgnoreCase } from '../../../resp/bytes.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { CachePolicy } from '../../caching/policy.js';
import { type Replacement, rewriteFrame } from './frame-rewriter.js';
import { type Random, ttlOfGiven, ttlOfNew } from './times.js';

const PX = Buffer.from('PX');
const LIKE = { PEXPIRE: Buffer.from('PEXPIRE'), PSETEX: Buffer.from('PSETEX') } as const satisfies Record<
  TtlArgument['like'],
  Uint8Array
>;

interface TimeWord {
  readonly word: Uint8Array;
  readonly unit: number;
  readonly since: TtlArgument['since'];
}

const TIME_WORDS: readonly TimeWord[] = [
  { word: Buffer.from('ex'), unit: 1000, since: 'now' },
  { word: Buffer.from('px'), unit: 1, since: 'now' },
  { word: Buffer.from('exat'), unit: 1000, since: 'epoch' },
  { word: Buffer.from('pxat'), unit: 1, since: 'epoch' },
];
const KEEPTTL = Buffer.from('keepttl');
const PERSIST = Buffer.from('persist');
/** Options of SET and GETEX without an argument, that have nothing to do with times. */
const PLAIN_WORDS = [Buffer.from('nx'), Buffer.from('xx'), Buffer.from('get')];
/** More than the options that a command can have: what is longer is left to the node's errors. */
const MOST_ARGUMENTS = 32;

/**
 * What is still to be done for the key's time to live, behind the command.
 * - `nothing`: the command says it all.
 * - `made`, `any`: as `TtlBehind` has it.
 */
export type Remaining = 'nothing' | 'made' | 'any' | 'made or any';

/** @returns what remains, of a command whose row says that its key's time to live is given */
export function rewriteGiven(given: TtlGiven, framer: RequestFramer, policy: CachePolicy, random: Random): Remaining {
  if ('optionsFrom' in given) return rewriteOptions(given.optionsFrom, framer, policy, random);
  if (given.at >= framer.argc) return 'nothing';
  const ttl = newTtl(framer, given.at, given.unit === 'seconds' ? 1000 : 1, given.since, policy, random);
  if (ttl > 0) {
    rewriteFrame(framer, [
      { at: 0, value: LIKE[given.like] },
      { at: given.at, value: digits(ttl) },
    ]);
  }
  return 'nothing';
}

function rewriteOptions(from: number, framer: RequestFramer, policy: CachePolicy, random: Random): Remaining {
  const { argc, source } = framer;
  if (argc > MOST_ARGUMENTS) return 'nothing';
  let timeAt = 0;
  let time: TimeWord | null = null;
  for (let i = from; i < argc; i++) {
    const start = args.start[i] as number;
    const end = args.end[i] as number;
    const word = TIME_WORDS.find((candidate) => equalsIgnoreCase(source, start, end, candidate.word));
    if (word !== undefined) {
      // Two of them are an error, which the node has.
      if (time !== null || i + 1 >= argc) return 'nothing';
      time = word;
      timeAt = ++i;
    } else if (equalsIgnoreCase(source, start, end, KEEPTTL)) return 'made or any';
    else if (equalsIgnoreCase(source, start, end, PERSIST)) return 'any';
    // An option that is not known here may say anything.
    else if (!PLAIN_WORDS.some((plain) => equalsIgnoreCase(source, start, end, plain))) return 'made or any';
  }
  if (time !== null) {
    const ttl = newTtl(framer, timeAt, time.unit, time.since, policy, random);
    if (ttl > 0) rewriteFrame(framer, timeArguments(timeAt - 1, ttl));
    return 'nothing';
  }
  // GETEX without options leaves everything as it is.
  if (from < 3 || argc < from) return 'nothing';
  const ttl = ttlOfNew(policy, random);
  if (ttl > 0) rewriteFrame(framer, timeArguments(argc, ttl));
  return 'nothing';
}

function timeArguments(at: number, ttl: number): Replacement[] {
  return [
    { at, value: PX },
    { at: at + 1, value: digits(ttl) },
  ];
}

/** @param unit milliseconds @returns the time to live that takes the place of the one at `at`; 0: that one stays */
function newTtl(
  { source }: RequestFramer,
  at: number,
  unit: number,
  since: TtlArgument['since'],
  policy: CachePolicy,
  random: Random,
): number {
  const said = parseStrictInteger(source, args.start[at] as number, args.end[at] as number) * unit;
  // What is no time, or one in the past, the node knows what to do with.
  if (!(said > 0)) return 0;
  if (since === 'now') {
    const ttl = ttlOfGiven(policy, said, random);
    return ttl === said ? 0 : ttl;
  }
  // A moment that the client has named is kept, unless it is too far away.
  const left = said - Date.now();
  return policy.maxTtl > 0 && left > policy.maxTtl ? ttlOfGiven(policy, left, random) : 0;
}

function digits(value: number): Uint8Array {
  return Buffer.from(String(value));
}
