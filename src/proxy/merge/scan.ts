import { visibleKeys } from './concat.js';
import type { Merger } from './group.js';
import { bulkPayload, lineEnd, replyEnd } from './held.js';

/**
 * Makes the proxy's SCAN reply of a node's.
 * @param cursorFor the client's cursor for the one that the node gave; for 0 that of what comes behind the node
 */
export function scanMerger(cursorFor: (nodeCursor: bigint) => string): Merger {
  return (group, out) => {
    const part = group.parts[0];
    if (!part?.held) return;
    const { buffer } = part.held;
    const cursorStart = lineEnd(buffer, part.heldStart);
    const cursorEnd = replyEnd(buffer, cursorStart, part.heldEnd);
    const payload = bulkPayload(buffer, cursorStart, cursorEnd);
    const cursor = cursorFor(BigInt(payload?.toString('latin1') ?? '0'));
    out.arrayHeader(2);
    out.bulkHeader(cursor.length);
    out.text(`${cursor}\r\n`);
    out.arrayHeader(visibleKeys(buffer, cursorEnd, part.heldEnd, null));
    visibleKeys(buffer, cursorEnd, part.heldEnd, out);
  };
}
