/** DEL, EXISTS, EXPIRE, TTL: whatever the value is. */
import { NEVER } from '../../../fleet/values/key-state.js';
import { typeOf } from '../../../fleet/values/read-state.js';
import { error, integer, simpleString } from '../../../resp/encode.js';
import type { Call, Operation } from './call.js';
import { deletion, expiring } from './deltas.js';
import { type TimeUnit, timeAt } from './expire-time.js';
import { NO_EXPIRY, NO_KEY, ONE, ZERO } from './replies.js';

const NO_TYPE = simpleString('none');
const NX_ALONE = error('ERR NX and XX, GT or LT options at the same time are not compatible');
const GT_OR_LT = error('ERR GT and LT options at the same time are not compatible');
const CONDITIONS: ReadonlySet<string> = new Set(['nx', 'xx', 'gt', 'lt']);

/** @returns whether there was something */
function deleteAt(call: Call, at: number): boolean {
  if (call.find(at) === null) return false;
  call.store.write(call.database, call.text(at), deletion(call.store.clock));
  return true;
}

function existsAt(call: Call, at: number): boolean {
  return call.find(at) !== null;
}

/** Of each of the command's keys, whether that was so: the sum. */
const countOf =
  (isSo: (call: Call, at: number) => boolean): Operation =>
  (call) => {
    let count = 0;
    for (const at of call.keys) if (isSo(call, at)) count++;
    return integer(count);
  };

export const del = countOf(deleteAt);
export const exists = countOf(existsAt);

export const type: Operation = (call) => {
  const entry = call.find(1);
  return entry === null ? NO_TYPE : simpleString(typeOf(entry.state));
};

/** What the condition of EXPIRE asks of the time that was there; it is decided by what is known here. */
function mayExpire(conditions: ReadonlySet<string>, before: number, after: number): boolean {
  if (conditions.has('nx') && before !== NEVER) return false;
  if (conditions.has('xx') && before === NEVER) return false;
  if (conditions.has('gt') && after <= before) return false;
  return !conditions.has('lt') || after < before;
}

function expire(call: Call, unit: TimeUnit): Buffer {
  const conditions = new Set<string>();
  for (let at = 3; at < call.argc; at++) {
    const word = call.word(at);
    if (!CONDITIONS.has(word)) return error(`ERR Unsupported option ${call.text(at)}`, 'latin1');
    conditions.add(word);
  }
  if (conditions.has('nx') && conditions.size > 1) return NX_ALONE;
  if (conditions.has('gt') && conditions.has('lt')) return GT_OR_LT;
  const ends = timeAt(call, 2, unit, true);
  if (typeof ends !== 'number') return ends;
  const entry = call.find(1);
  if (entry === null || !mayExpire(conditions, entry.state.expiry?.at ?? NEVER, ends)) return ZERO;
  const { clock } = call.store;
  call.store.write(call.database, call.text(1), ends <= call.now ? deletion(clock) : expiring(clock, ends));
  return ONE;
}

const expireBy =
  (scale: number, isRelative: boolean): Operation =>
  (call) =>
    expire(call, { scale, isRelative });

export const expireIn = expireBy(1000, true);
export const pexpireIn = expireBy(1, true);
export const expireAt = expireBy(1000, false);
export const pexpireAt = expireBy(1, false);

export const persist: Operation = (call) => {
  const entry = call.find(1);
  if (entry === null || (entry.state.expiry?.at ?? NEVER) === NEVER) return ZERO;
  call.store.write(call.database, call.text(1), expiring(call.store.clock, NEVER));
  return ONE;
};

/** @param unit milliseconds of what is told @param isRelative how long it is from now on; otherwise when it is */
const timeLeft =
  (unit: number, isRelative: boolean): Operation =>
  (call) => {
    const entry = call.find(1);
    if (entry === null) return NO_KEY;
    const at = entry.state.expiry?.at ?? NEVER;
    if (at === NEVER) return NO_EXPIRY;
    const time = isRelative ? at - call.now : at;
    return integer(unit === 1 ? time : Math.floor((time + unit / 2) / unit));
  };

export const ttl = timeLeft(1000, true);
export const pttl = timeLeft(1, true);
export const expiretime = timeLeft(1000, false);
export const pexpiretime = timeLeft(1, false);
