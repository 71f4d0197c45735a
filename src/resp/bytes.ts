/** Bytes of the protocol, and the two things that are done to bytes everywhere. */
export const CR = 0x0d;
export const LF = 0x0a;
export const NUL = 0x00;
export const DOLLAR = 0x24;
export const STAR = 0x2a;
export const MINUS = 0x2d;
export const ZERO = 0x30;

/** Up to this many bytes a loop is faster than the call into the runtime that a bulk copy costs (`npm run bench -- micro`). */
const LOOP_COPY_BYTES = 48;

/** Copies `source[start, end)` to `target` from `offset` on; `target` must have room for all of it. */
export function copyBytes(target: Buffer, offset: number, source: Uint8Array, start: number, end: number): void {
  if (end - start > LOOP_COPY_BYTES) {
    if (source instanceof Buffer) source.copy(target, offset, start, end);
    else target.set(source.subarray(start, end), offset);
    return;
  }
  let to = offset;
  for (let from = start; from < end; from++) target[to++] = source[from] as number;
}

/** Whether `buffer[start, end)` is the word `lowerCase` in any case. `lowerCase` holds ASCII bytes. */
export function equalsIgnoreCase(buffer: Uint8Array, start: number, end: number, lowerCase: Uint8Array): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let i = 0; i < lowerCase.length; i++) {
    let byte = buffer[start + i] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== lowerCase[i]) return false;
  }
  return true;
}
