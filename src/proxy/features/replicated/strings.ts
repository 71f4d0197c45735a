/** GET, SET and what is made of them. */
import type { Entry } from '../../../fleet/values/entry.js';
import { NEVER } from '../../../fleet/values/key-state.js';
import { bulkOf, payloadOf, typeOf } from '../../../fleet/values/read-state.js';
import { array, integer, nullBulk, OK } from '../../../resp/encode.js';
import type { Call, Operation } from './call.js';
import { deletion, expiring, setting } from './deltas.js';
import { readSetOptions, TIME_OPTIONS, type TimeUnit, timeAt } from './expire-time.js';
import { NO_CONDITIONS, refusalOfValue } from './refusals.js';
import { OUT_OF_MEMORY, SYNTAX, WRONG_TYPE, wrongArguments, ZERO } from './replies.js';

const PLAIN_SET_ARGS = 3;
const SECONDS: TimeUnit = { scale: 1000, isRelative: true };
const MILLISECONDS: TimeUnit = { scale: 1, isRelative: true };

/** The reply to GET of an entry that holds a string. */
function replyOf(entry: Entry): Buffer {
  entry.reply ??= bulkOf(entry.state);
  return entry.reply;
}

/** What a read of a string finds: its bulk, null without a value, WRONG_TYPE. */
function read(call: Call, entry: Entry | null): Buffer {
  call.noteRead(1, entry !== null);
  if (entry === null) return nullBulk(call.protocol);
  return typeOf(entry.state) === 'string' ? replyOf(entry) : WRONG_TYPE;
}

export const get: Operation = (call) => read(call, call.find(1));

export const set: Operation = (call) => {
  if (!call.hasRoom) return OUT_OF_MEMORY;
  const options = call.argc === PLAIN_SET_ARGS ? PLAIN : readSetOptions(call, PLAIN_SET_ARGS);
  if (options === null) return SYNTAX;
  if (Buffer.isBuffer(options)) return options;
  if (options.isConditional) return NO_CONDITIONS;
  const value = call.bytesAt(2);
  const refusal = refusalOfValue(value.length);
  if (refusal !== null) return refusal;
  const before = options.get || options.at === null ? call.find(1) : null;
  let reply: Buffer = OK;
  if (options.get) {
    reply = read(call, before);
    if (reply === WRONG_TYPE) return reply;
  } else call.findToWrite(1);
  const ends = options.at ?? before?.state.expiry?.at ?? NEVER;
  call.store.write(call.database, call.text(1), setting(call.store.clock, value, ends));
  return reply;
};

const PLAIN = { at: NEVER, get: false, isConditional: false } as const;

const setFor =
  (unit: TimeUnit): Operation =>
  (call) => {
    if (!call.hasRoom) return OUT_OF_MEMORY;
    const ends = timeAt(call, 2, unit, false);
    if (typeof ends !== 'number') return ends;
    const value = call.bytesAt(3);
    const refusal = refusalOfValue(value.length);
    if (refusal !== null) return refusal;
    call.findToWrite(1);
    call.store.write(call.database, call.text(1), setting(call.store.clock, value, ends));
    return OK;
  };

export const setex = setFor(SECONDS);
export const psetex = setFor(MILLISECONDS);

export const mget: Operation = (call) => {
  return array(call.keys.map((at) => elementOf(call, at)));
};

/** Of MGET, which has nil for what is no string. */
function elementOf(call: Call, at: number): Buffer {
  const entry = call.find(at);
  call.noteRead(at, entry !== null);
  return entry !== null && typeOf(entry.state) === 'string' ? replyOf(entry) : nullBulk(call.protocol);
}

export const mset: Operation = (call) => {
  if (call.argc % 2 === 0) return wrongArguments(call.name);
  if (!call.hasRoom) return OUT_OF_MEMORY;
  for (const at of call.keys) {
    const refusal = refusalOfValue(call.bytesAt(at + 1).length);
    if (refusal !== null) return refusal;
  }
  for (const at of call.keys) {
    call.findToWrite(at);
    call.store.write(call.database, call.text(at), setting(call.store.clock, call.bytesAt(at + 1), NEVER));
  }
  return OK;
};

export const getdel: Operation = (call) => {
  const reply = read(call, call.find(1));
  if (call.find(1) !== null && reply !== WRONG_TYPE) {
    call.store.write(call.database, call.text(1), deletion(call.store.clock));
  }
  return reply;
};

export const getex: Operation = (call) => {
  const word = call.argc > 2 ? call.word(2) : '';
  const unit = TIME_OPTIONS[word];
  const isKnown = call.argc === 2 || (unit !== undefined && call.argc === 4) || (word === 'persist' && call.argc === 3);
  if (!isKnown) return SYNTAX;
  const entry = call.find(1);
  const reply = read(call, entry);
  if (entry === null || reply === WRONG_TYPE || call.argc === 2) return reply;
  const ends = unit === undefined ? NEVER : timeAt(call, 3, unit, false);
  if (typeof ends !== 'number') return ends;
  if (unit === undefined && (entry.state.expiry?.at ?? NEVER) === NEVER) return reply;
  const { clock } = call.store;
  call.store.write(call.database, call.text(1), ends <= call.now ? deletion(clock) : expiring(clock, ends));
  return reply;
};

export const strlen: Operation = (call) => {
  const entry = call.find(1);
  if (entry === null) return ZERO;
  return typeOf(entry.state) === 'string' ? integer(payloadOf(replyOf(entry)).length) : WRONG_TYPE;
};
