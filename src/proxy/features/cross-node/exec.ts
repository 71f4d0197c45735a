/** Several commands at one node as a transaction: MULTI, their frames and EXEC in one piece. */

import { MINUS, STAR } from '../../../resp/bytes.js';
import { EXEC, MULTI } from '../../request/transaction-frames.js';
import { elementsIn } from './replies.js';
import { StepFailed } from './step-failed.js';

/** @returns the frames of a transaction */
export function inTransaction(frames: readonly Uint8Array[]): Uint8Array[] {
  return [MULTI, ...frames, EXEC];
}

/**
 * @param replies to the frames of `inTransaction`
 * @returns the reply of each command; null when a key was written that was watched
 * @throws StepFailed when the node has refused one of them at queueing: nothing was carried out
 */
export function elementsOf(replies: readonly Buffer[]): Buffer[] | null {
  const exec = replies.at(-1) as Buffer;
  if (exec[0] === MINUS) throw new StepFailed(replies.find((reply) => reply[0] === MINUS) ?? exec);
  if (exec[0] !== STAR || exec[1] === MINUS) return null;
  return elementsIn(exec);
}

/** @throws StepFailed when the reply is an error */
export function unlessError(reply: Buffer): Buffer {
  if (reply[0] === MINUS) throw new StepFailed(reply);
  return reply;
}
