import { keyPositions } from '../../../commands/keys.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';

/** The keys of the command that `framer` holds, as `keyPositions` has its `count` keys: as latin1. */
export function keysAtHand(framer: RequestFramer, count: number): string[] {
  const source = framer.source as Buffer;
  return Array.from(keyPositions.at.subarray(0, count), (at) =>
    source.toString('latin1', args.start[at] as number, args.end[at] as number),
  );
}
