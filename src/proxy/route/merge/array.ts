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
  for (let i = 0; i < keyParts.length; i++) {
    const index = keyParts[i] as number;
    const part = parts[index];
    const held = part?.held;
    if (part === undefined || !held) continue;
    const start = cursors[index] as number;
    const end = replyEnd(held.buffer, start, part.heldEnd);
    if (end < 0) {
      out.clear();
      out.text(`-ERR node ${group.nodes[index]?.name} sent fewer elements than it was asked for\r\n`);
      return;
    }
    group.countRead(i, !bulkIsNull(held.buffer, start));
    out.append(held.buffer, start, end);
    cursors[index] = end;
  }
};
