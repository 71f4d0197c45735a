/** What may be answered from a kept reply: the one place that decides it. */
import type { NearNodes } from '../near-nodes.js';
import type { NearStore } from './near-store.js';
import { BARRIER, ENDS_AT, EPOCH, NODE } from './record.js';

/** It is the answer. */
export const FRESH = 0;
/** Whether it still holds, its node has been asked and will say in a moment. */
export const UNSURE = 1;
/** Its node is not heard: the answer is that of the node itself. */
export const UNHEARD = 2;
/** It is over, and never comes back. */
export const OVER = 3;

export type Judgement = typeof FRESH | typeof UNSURE | typeof UNHEARD | typeof OVER;

/** @param now by the clock, read when the command had come or later */
export function judge({ numbers, times }: NearStore, nodes: NearNodes, record: number, now: number): Judgement {
  const slot = numbers[record + NODE] as number;
  if (numbers[record + EPOCH] !== nodes.epoch[slot] || now >= (times[(record + ENDS_AT) >> 1] as number)) return OVER;
  if (now >= (nodes.trustedUntil[slot] as number)) return UNHEARD;
  // Questions are counted by 32 bits, and begin anew after some weeks of one every millisecond.
  return (((numbers[record + BARRIER] as number) - (nodes.heard[slot] as number)) | 0) <= 0 ? FRESH : UNSURE;
}
