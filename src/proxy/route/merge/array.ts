import { bulkIsNull } from '../../../resp/inspect.js';
import { lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { Merger } from './group.js';

/** How far each part's elements have been taken. */
let cursors = new Float64Array(64);

/** Elements in the order of the keys (MGET). The parts' replies are arrays in the order of their own keys. */
export const mergeArray: Merger = (group, out) => {
  const { parts, keyParts } = group;
  if (cursors.length < parts.length) cursors = new Float64Array(parts.length * 2);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    cursors[i] = part?.held ? lineEnd(part.held.buffer, part.heldStart) : 0;
  }
  out.arrayHeader(keyParts.length);
  let next = 0;
  while (next < keyParts.length) {
    const index = keyParts[next] as number;
    const part = parts[index];
    const held = part?.held;
    if (part === undefined || !held) {
      next++;
      continue;
    }
    const start = cursors[index] as number;
    let end = start;
    // Neighbours that come from one node are copied in one piece.
    do {
      const at = end;
      end = replyEnd(held.buffer, at, part.heldEnd);
      if (end < 0) {
        out.clear();
        out.text(`-ERR node ${group.nodes[index]?.name} sent fewer elements than it was asked for\r\n`);
        return;
      }
      group.countRead(next, !bulkIsNull(held.buffer, at));
      next++;
    } while (next < keyParts.length && keyParts[next] === index);
    out.append(held.buffer, start, end);
    cursors[index] = end;
  }
};
