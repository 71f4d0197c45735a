import { bulkIsNull } from '../../../resp/inspect.js';
import { lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { Request } from '../../request/request.js';
import type { Group, Merger } from './group.js';
import { PieceCursor } from './piece-cursor.js';
import type { Scratch } from './scratch.js';

/** How far each part's elements have been taken. */
let cursors = new Float64Array(64);

/** Elements in the order of the keys (MGET). The parts' replies are arrays in the order of their own keys. */
export const mergeArray: Merger = (group, out) => {
  const { parts, keyParts } = group;
  if (haveLarge(parts)) {
    mergePieces(group, out);
    return;
  }
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
        tooFew(group, index, out);
        return;
      }
      group.countRead(next, !bulkIsNull(held.buffer, at));
      next++;
    } while (next < keyParts.length && keyParts[next] === index);
    out.append(held.buffer, start, end);
    cursors[index] = end;
  }
};

function haveLarge(parts: readonly Request[]): boolean {
  for (const { chunks } of parts) if (chunks !== null) return true;
  return false;
}

/** The same where some of the replies are large: their bytes go to the client as they came. */
function mergePieces(group: Group, out: Scratch): void {
  const { parts, keyParts } = group;
  const cursors = parts.map(({ chunks, held, heldStart, heldEnd }) => {
    // What is held lies in memory that is used again.
    const cursor = new PieceCursor(chunks ?? [Buffer.from(held?.buffer.subarray(heldStart, heldEnd) ?? [])]);
    cursor.readLine();
    return cursor;
  });
  out.arrayHeader(keyParts.length);
  for (let next = 0; next < keyParts.length; next++) {
    const index = keyParts[next] as number;
    const found = cursors[index]?.giveBulk(out) ?? null;
    if (found === null) {
      tooFew(group, index, out);
      return;
    }
    group.countRead(next, found);
  }
}

function tooFew(group: Group, part: number, out: Scratch): void {
  out.clear();
  out.text(`-ERR node ${group.nodes[part]?.name} sent fewer elements than it was asked for\r\n`);
}
