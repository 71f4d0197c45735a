/**
 * Writes the frame at hand anew, with other arguments in the place of some, and with more behind. The framer holds the
 * new one then, as it does with that of an inline command, and everybody behind reads that.
 */
import { arrayHeaderLength, writeArrayHeader, writeBulkHeader } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import { lastingBytes } from '../../../resp/words.js';

/** Larger frames get a buffer of their own. */
const SCRATCH_BYTES = 65_536;
/** More than a header and its line ends take. */
const BULK_OVERHEAD = 24;

/** `at`: of which argument; `argc`, and further ones behind. */
export interface Replacement {
  readonly at: number;
  readonly value: Uint8Array;
}

const scratch = lastingBytes(SCRATCH_BYTES);

/** @param replacements in ascending order */
export function rewriteFrame(framer: RequestFramer, replacements: readonly Replacement[]): void {
  const source = framer.source;
  const last = replacements[replacements.length - 1];
  const argc = Math.max(framer.argc, last === undefined ? 0 : last.at + 1);
  let room = framer.frameEnd - framer.frameStart + arrayHeaderLength(argc);
  for (const { value } of replacements) room += value.length + BULK_OVERHEAD;
  // One that is passed on without a copy belongs to whoever sends it; and one that was written anew before stands there.
  const target = room <= SCRATCH_BYTES && source !== scratch ? scratch : Buffer.allocUnsafeSlow(room);
  let at = writeArrayHeader(target, 0, argc);
  let next = 0;
  for (let i = 0; i < argc; i++) {
    const replacement = replacements[next];
    const isOther = replacement !== undefined && replacement.at === i;
    if (isOther) next++;
    const value = isOther ? replacement.value : source.subarray(args.start[i], args.end[i]);
    at = writeBulkHeader(target, at, value.length);
    target.set(value, at);
    args.start[i] = at;
    at += value.length;
    args.end[i] = at;
    target[at++] = 0x0d;
    target[at++] = 0x0a;
  }
  framer.source = target;
  framer.argc = argc;
  framer.frameStart = 0;
  framer.frameEnd = at;
}
