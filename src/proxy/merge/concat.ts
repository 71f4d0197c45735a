import { isReserved } from '../plan/reserved.js';
import type { Merger } from './group.js';
import { bulkPayload, headerNumber, lineEnd, replyEnd } from './held.js';
import type { Scratch } from './scratch.js';

/** Arrays of keys one behind the other (KEYS), without the proxy's own keys. */
export const mergeConcat: Merger = (group, out) => {
  let count = 0;
  for (const part of group.parts) {
    if (part.held) count += visibleKeys(part.held.buffer, part.heldStart, part.heldEnd, null);
  }
  out.arrayHeader(count);
  for (const part of group.parts) {
    if (part.held) visibleKeys(part.held.buffer, part.heldStart, part.heldEnd, out);
  }
};

/**
 * Counts the keys of the array `buffer[start, end)` that are not the proxy's own, and appends them to `out`.
 */
export function visibleKeys(buffer: Buffer, start: number, end: number, out: Scratch | null): number {
  const declared = headerNumber(buffer, start);
  let at = lineEnd(buffer, start);
  let visible = 0;
  for (let i = 0; i < declared; i++) {
    const next = replyEnd(buffer, at, end);
    if (next < 0) break;
    const payload = bulkPayload(buffer, at, next);
    if (payload === null || !isReserved(payload, 0, payload.length)) {
      visible++;
      out?.append(buffer, at, next);
    }
    at = next;
  }
  return visible;
}
