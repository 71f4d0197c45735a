import { args, type RequestFramer } from './request-framer.js';

/**
 * The arguments of the frame that `framer` holds, the command's name included.
 * @param frame a copy of it, of which they are parts
 */
export function wordsIn(frame: Buffer, { argc, frameStart }: RequestFramer): Buffer[] {
  return Array.from({ length: argc }, (_, i) =>
    frame.subarray((args.start[i] as number) - frameStart, (args.end[i] as number) - frameStart),
  );
}
