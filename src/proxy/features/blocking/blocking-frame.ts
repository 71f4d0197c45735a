/** What stands in a command that may wait at its node: how long, and from where a stream is read. */
import type { Command } from '../../../commands/command.js';
import { equalsIgnoreCase } from '../../../resp/bytes.js';
import { nullArray, nullBulk, type Protocol } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import { argumentBytes } from '../../session/words.js';

const BLOCK = Buffer.from('block');
const STREAMS = Buffer.from('streams');
const GROUP = Buffer.from('group');
const COUNT = Buffer.from('count');
const DOLLAR = 0x24;

/** Whether the command that `framer` holds, one of those that may wait, does. */
export function mayWait(command: Command, framer: RequestFramer): boolean {
  return command.waits?.timeoutAt !== 'option' || timeoutPosition(command, argumentBytes(framer)) !== 0;
}

/** @returns the position of the timeout; 0 when the command does not wait; -1 when it may, and nobody knows for how long */
export function timeoutPosition(command: Command, words: readonly Uint8Array[]): number {
  const at = command.waits?.timeoutAt ?? 'unknown';
  if (at === 'unknown') return -1;
  return at === 'option' ? optionPosition(words, BLOCK) : at < 0 ? words.length + at : at;
}

/** @returns the position of the group's name among the words of XREADGROUP; 0: there is none */
export function groupPosition(words: readonly Uint8Array[]): number {
  return optionPosition(words, GROUP);
}

/** Where that stands which follows this word, in front of the streams; 0: nowhere. */
function optionPosition(words: readonly Uint8Array[], option: Uint8Array): number {
  for (let at = 1; at + 1 < words.length; at++) {
    if (isWord(words[at], STREAMS)) return 0;
    if (isWord(words[at], option)) return at + 1;
    // What follows these may be any word.
    if (isWord(words[at], GROUP)) at += 2;
    else if (isWord(words[at], COUNT)) at += 1;
  }
  return 0;
}

/**
 * @param position as `timeoutPosition` gives it
 * @returns milliseconds; Infinity when the command waits for as long as it takes, or may do so
 */
export function timeoutOf(command: Command, words: readonly Uint8Array[], position: number): number {
  if (position <= 0) return Number.POSITIVE_INFINITY;
  const given = numberOf(Buffer.from(words[position] ?? []).toString('latin1'));
  // What the node does not understand it refuses, at once.
  if (!(given > 0)) return Number.POSITIVE_INFINITY;
  return isInMilliseconds(command) ? given : given * 1000;
}

/** As nodes read a number of seconds: also in hexadecimal with a point and an exponent of two (`strtold` of C99). */
function numberOf(text: string): number {
  const hexadecimal = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?(?:p([+-]?\d+))?$/i.exec(text);
  if (hexadecimal === null) return Number(text);
  const [, sign, whole = '', fraction = '', exponent = '0'] = hexadecimal;
  if (whole === '' && fraction === '') return Number.NaN;
  const digits = Number.parseInt(`${whole}${fraction}`, 16);
  return (sign === '-' ? -1 : 1) * digits * 2 ** (Number(exponent) - 4 * fraction.length);
}

function isInMilliseconds(command: Command): boolean {
  return command.waits?.unit === 'milliseconds';
}

/** @param remaining milliseconds, more than 0 @returns the timeout as the command has it */
export function timeoutText(command: Command, remaining: number): string {
  if (remaining === Number.POSITIVE_INFINITY) return '0';
  const whole = Math.max(1, Math.ceil(remaining));
  return isInMilliseconds(command) ? String(whole) : String(whole / 1000);
}

/** The positions of `$` among the ids of XREAD: entries that are newer than any there is. */
export function newestIds(command: Command, words: readonly Uint8Array[]): number[] {
  if (command.waits?.fromNewest !== true) return [];
  const streams = words.findIndex((word, at) => at > 0 && isWord(word, STREAMS));
  const found: number[] = [];
  for (let at = streams + 1 + (words.length - streams - 1) / 2; at < words.length; at++) {
    const word = words[at];
    if (word?.length === 1 && word[0] === DOLLAR) found.push(at);
  }
  return found;
}

/** What the command answers when its time is over. */
export function timeoutReply(command: Command, protocol: Protocol): Buffer {
  return command.waits?.nil === 'bulk' ? nullBulk(protocol) : nullArray(protocol);
}

function isWord(word: Uint8Array | undefined, lowerCase: Uint8Array): boolean {
  return word !== undefined && equalsIgnoreCase(word, 0, word.length, lowerCase);
}
