/** Times to live as commands say them: in seconds or milliseconds, from now on or since 1970. */
import { NEVER } from '../../../fleet/values/key-state.js';
import type { Call } from './call.js';
import { invalidExpire, NO_INTEGER } from './replies.js';

export interface TimeUnit {
  /** Milliseconds. */
  readonly scale: number;
  /** Counted from now on; otherwise since 1970. */
  readonly isRelative: boolean;
}

/** By the option of SET and GETEX. */
export const TIME_OPTIONS: Readonly<Record<string, TimeUnit>> = {
  ex: { scale: 1000, isRelative: true },
  px: { scale: 1, isRelative: true },
  exat: { scale: 1000, isRelative: false },
  pxat: { scale: 1, isRelative: false },
};

/**
 * The argument as a time. @param mayBePast whether it may be 0 or less, as EXPIRE may
 * @returns milliseconds since 1970; a Buffer: the error
 */
export function timeAt(call: Call, at: number, { scale, isRelative }: TimeUnit, mayBePast: boolean): number | Buffer {
  const value = call.integer(at);
  if (value === null) return NO_INTEGER;
  if (value <= 0n && !mayBePast) return invalidExpire(call.name);
  const time = Number(value) * scale + (isRelative ? call.now : 0);
  return Number.isSafeInteger(time) ? Math.max(0, time) : invalidExpire(call.name);
}

/** What SET says behind its value. */
export interface SetOptions {
  /** NEVER; null: as it was (KEEPTTL). */
  readonly at: number | null;
  /** The value before is the reply. */
  readonly get: boolean;
  /** NX or XX. */
  readonly isConditional: boolean;
}

/** @returns a Buffer: the error; null: a syntax error */
export function readSetOptions(call: Call, from: number): SetOptions | Buffer | null {
  let time: { readonly unit: TimeUnit; readonly at: number } | null = null;
  let keeps = false;
  let get = false;
  let condition = '';
  for (let at = from; at < call.argc; at++) {
    const word = call.word(at);
    const unit = TIME_OPTIONS[word];
    if (unit !== undefined && at + 1 < call.argc && time === null && !keeps) time = { unit, at: ++at };
    else if (word === 'keepttl' && time === null) keeps = true;
    else if (word === 'get') get = true;
    else if ((word === 'nx' || word === 'xx') && (condition === '' || condition === word)) condition = word;
    else return null;
  }
  const ends = time === null ? NEVER : timeAt(call, time.at, time.unit, false);
  if (typeof ends !== 'number') return ends;
  return { at: keeps ? null : ends, get, isConditional: condition !== '' };
}
