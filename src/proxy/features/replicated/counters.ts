/** INCR and its like: each process counts for itself, and all of that together is the value. */
import { isInRange, numberOf, typeOf } from '../../../fleet/values/read-state.js';
import type { Call, Operation } from './call.js';
import { counting } from './deltas.js';
import { DECREMENT_OVERFLOW, NO_INTEGER, OUT_OF_MEMORY, OVERFLOW, WRONG_TYPE } from './replies.js';

const LEAST = -(2n ** 63n);

function count(call: Call, by: bigint): Buffer {
  if (!call.hasRoom) return OUT_OF_MEMORY;
  const { store, database } = call;
  const entry = call.findToWrite(1);
  const state = entry?.state ?? null;
  let before: bigint | null = 0n;
  if (state?.isLive === true) {
    if (typeOf(state) !== 'string') return WRONG_TYPE;
    before = numberOf(state);
  }
  if (before === null) return NO_INTEGER;
  if (!isInRange(before + by)) return OVERFLOW;
  store.write(database, call.text(1), counting(store.clock, store.actor, state, by));
  return Buffer.from(`:${before + by}\r\n`);
}

export const incr: Operation = (call) => count(call, 1n);
export const decr: Operation = (call) => count(call, -1n);

export const incrby: Operation = (call) => {
  const by = call.integer(2);
  return by === null ? NO_INTEGER : count(call, by);
};

export const decrby: Operation = (call) => {
  const by = call.integer(2);
  if (by === null) return NO_INTEGER;
  return by === LEAST ? DECREMENT_OVERFLOW : count(call, -by);
};
