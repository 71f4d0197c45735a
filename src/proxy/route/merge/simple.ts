import { parseIntegerLine } from '../../../resp/reply-framer.js';
import { bulkPayload } from '../../../resp/whole-reply.js';
import type { Merger } from './group.js';

/** The reply of the first part that succeeded stands for all. */
export const mergeFirst: Merger = (group, out) => {
  for (const { held, heldStart, heldEnd } of group.parts) {
    if (held === null) continue;
    out.append(held.buffer, heldStart, heldEnd);
    return;
  }
};

/** Integers added up (DEL, EXISTS, DBSIZE). */
export const mergeSum: Merger = (group, out) => {
  let sum = 0;
  for (const part of group.parts) {
    if (part.held) sum += parseIntegerLine(part.held.buffer, part.heldStart, part.heldEnd);
  }
  out.integer(sum);
};

/** One of the keys that were drawn (RANDOMKEY): by the nodes, and of those that no node has. */
export const mergeRandom: Merger = (group, out) => {
  const { parts, nodes, placement } = group;
  const drawn = parts.filter((part, index) => {
    if (part.held === null) return false;
    const payload = bulkPayload(part.held.buffer, part.heldStart, part.heldEnd);
    if (payload === null) return false;
    // What is of no node is behind them.
    return index >= nodes.length || placement?.isOfNoNode(payload) !== true;
  });
  const part = drawn[Math.floor(Math.random() * drawn.length)];
  // A node that is not there may have some: the reply for an empty cache would be wrong.
  const [missing] = group.missing;
  if (part?.held) out.append(part.held.buffer, part.heldStart, part.heldEnd);
  else if (missing !== undefined) {
    const { node, why } = missing;
    out.text(`-NODEDOWN node ${node.name} (${node.shownAddress}) ${why}\r\n`);
  } else out.text(group.protocol === 3 ? '_\r\n' : '$-1\r\n');
};
