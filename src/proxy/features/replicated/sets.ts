/** Sets of which is removed what the remover has seen: what is added at the same time elsewhere stays. */
import type { KeyState } from '../../../fleet/values/key-state.js';
import { typeOf } from '../../../fleet/values/read-state.js';
import { array, bulk, set as encodeSet, integer } from '../../../resp/encode.js';
import type { Call, Operation } from './call.js';
import { adding, removing } from './deltas.js';
import { refusalOfValue } from './refusals.js';
import { ONE, OUT_OF_MEMORY, WRONG_TYPE, ZERO } from './replies.js';

function elementsFrom(call: Call, first: number): Set<string> {
  const elements = new Set<string>();
  for (let at = first; at < call.argc; at++) elements.add(call.text(at));
  return elements;
}

/** The set of the key; null: there is none. @returns false: something else is there */
function setAt(call: Call): KeyState | null | false {
  const entry = call.find(1);
  if (entry === null) return null;
  return typeOf(entry.state) === 'set' ? entry.state : false;
}

export const sadd: Operation = (call) => {
  if (!call.hasRoom) return OUT_OF_MEMORY;
  const { store, database } = call;
  const state = call.findToWrite(1)?.state ?? null;
  const present = state?.isLive === true ? state : null;
  if (present !== null && typeOf(present) !== 'set') return WRONG_TYPE;
  const elements = elementsFrom(call, 2);
  for (const element of elements) {
    const refusal = refusalOfValue(element.length);
    if (refusal !== null) return refusal;
  }
  let added = 0;
  for (const element of elements) if (present?.has(element) !== true) added++;
  // One that is there already is added anew: who removes it elsewhere has not seen that.
  store.write(database, call.text(1), adding(store.clock, store.actor, state, elements));
  return integer(added);
};

export const srem: Operation = (call) => {
  const state = setAt(call);
  if (state === null) return ZERO;
  if (state === false) return WRONG_TYPE;
  const present = [...elementsFrom(call, 2)].filter((element) => state.has(element));
  if (present.length > 0) call.store.write(call.database, call.text(1), removing(state, present));
  return integer(present.length);
};

export const smembers: Operation = (call) => {
  const state = setAt(call);
  if (state === false) return WRONG_TYPE;
  const members = state === null ? [] : [...state.present()].map((element) => bulk(Buffer.from(element, 'latin1')));
  return encodeSet(members, call.protocol);
};

export const sismember: Operation = (call) => {
  const state = setAt(call);
  if (state === false) return WRONG_TYPE;
  return state?.has(call.text(2)) === true ? ONE : ZERO;
};

export const smismember: Operation = (call) => {
  const state = setAt(call);
  if (state === false) return WRONG_TYPE;
  const replies: Buffer[] = [];
  for (let at = 2; at < call.argc; at++) replies.push(state?.has(call.text(at)) === true ? ONE : ZERO);
  return array(replies);
};

export const scard: Operation = (call) => {
  const state = setAt(call);
  if (state === false) return WRONG_TYPE;
  return integer(state?.members ?? 0);
};
