import { bulkPayload, headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { Merger } from './group.js';
import type { Placement } from './placement.js';
import type { Scratch } from './scratch.js';

/** Arrays of keys one behind the other (KEYS), without those that clients do not see. */
export const mergeConcat: Merger = ({ parts, nodes, placement }, out) => {
  // What is of no node is behind them.
  const placementAt = (index: number): Placement | null => (index < nodes.length ? placement : null);
  let count = 0;
  // They stand in the order of the nodes.
  for (const [node, { held, heldStart, heldEnd }] of parts.entries()) {
    if (held) count += visibleKeys(held.buffer, heldStart, heldEnd, null, placementAt(node), node);
  }
  out.arrayHeader(count);
  for (const [node, { held, heldStart, heldEnd }] of parts.entries()) {
    if (held) visibleKeys(held.buffer, heldStart, heldEnd, out, placementAt(node), node);
  }
};

/**
 * Counts the keys of the array `buffer[start, end)` that clients see, and appends them to `out`.
 * @param placement null: all of them
 * @param node index of the node that has them
 */
export function visibleKeys(
  buffer: Buffer,
  start: number,
  end: number,
  out: Pick<Scratch, 'append'> | null,
  placement: Placement | null,
  node: number,
): number {
  const declared = headerNumber(buffer, start);
  let at = lineEnd(buffer, start);
  let visible = 0;
  for (let i = 0; i < declared; i++) {
    const next = replyEnd(buffer, at, end);
    if (next < 0) break;
    const payload = bulkPayload(buffer, at, next);
    if (payload === null || placement === null || placement.shows(node, payload)) {
      visible++;
      out?.append(buffer, at, next);
    }
    at = next;
  }
  return visible;
}
