import { visibleKeys } from './concat.js';
import type { Merger } from './group.js';
import { bulkPayload, lineEnd, replyEnd } from './held.js';

const NODE_IDS = 1024n;

/**
 * Makes the proxy's SCAN reply of a node's: the cursor says which node comes next.
 * @param nodeId the node that replies
 * @param nextId the node that is walked behind it, or -1
 */
export function scanMerger(nodeId: number, nextId: number): Merger {
  return (group, out) => {
    const part = group.parts[0];
    if (!part?.held) return;
    const { buffer } = part.held;
    const cursorStart = lineEnd(buffer, part.heldStart);
    const cursorEnd = replyEnd(buffer, cursorStart, part.heldEnd);
    const payload = bulkPayload(buffer, cursorStart, cursorEnd);
    const nodeCursor = BigInt(payload?.toString('latin1') ?? '0');
    let cursor = '0';
    if (nodeCursor !== 0n) cursor = (nodeCursor * NODE_IDS + BigInt(nodeId)).toString();
    else if (nextId >= 0) cursor = String(nextId);
    out.arrayHeader(2);
    out.bulkHeader(cursor.length);
    out.text(`${cursor}\r\n`);
    const visible = visibleKeys(buffer, cursorEnd, part.heldEnd, null);
    out.arrayHeader(visible);
    visibleKeys(buffer, cursorEnd, part.heldEnd, out);
  };
}
