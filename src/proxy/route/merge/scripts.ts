/** What SCRIPT and FUNCTION answer over all nodes. */

import { headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { Merger } from './group.js';

const UNDERSCORE = 0x5f;
const MINUS = 0x2d;

/** Of each number in the arrays the least one (SCRIPT EXISTS). */
export const mergeLeast: Merger = (group, out) => {
  const least: number[] = [];
  for (const { held, heldStart } of group.parts) {
    if (held === null) continue;
    const count = headerNumber(held.buffer, heldStart);
    let at = lineEnd(held.buffer, heldStart);
    for (let i = 0; i < count; i++) {
      least[i] = Math.min(least[i] ?? 1, headerNumber(held.buffer, at));
      at = lineEnd(held.buffer, at);
    }
  }
  out.arrayHeader(least.length);
  for (const value of least) out.integer(value);
};

/** The reply of the node on which a script runs, or else the first one (FUNCTION STATS). */
export const mergeRunning: Merger = (group, out) => {
  const answered = group.parts.filter((part) => part.held !== null);
  const running = answered.find(({ held, heldStart, heldEnd }) => {
    if (held === null) return false;
    const { buffer } = held;
    // Behind the header and the name `running_script` stands what runs, or nil.
    const value = replyEnd(buffer, lineEnd(buffer, heldStart), heldEnd);
    return value >= 0 && buffer[value] !== UNDERSCORE && buffer[value + 1] !== MINUS;
  });
  const shown = running ?? answered[0];
  if (shown?.held) out.append(shown.held.buffer, shown.heldStart, shown.heldEnd);
};
