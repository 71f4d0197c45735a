/**
 * Memory that lasts, and is read and written four bytes at a time. A command's bytes are few (a frame of 36, a reply of
 * 71): too few for a call into the runtime, and many for a loop over bytes. A `DataView` makes words of bytes wherever
 * they lie, but costs as much to make as ten such copies, so only memory that is used again and again has one.
 */

const NO_BYTES = new Uint8Array(0);
/** A longer buffer is not remembered as the last one: nobody shall keep it alive. */
const REMEMBERED_BYTES = 1_048_576;

const views = new WeakMap<Uint8Array, DataView>();
/** Of the buffer that was read last, and mostly is read again: all that comes in a chunk lies in one. */
let lastBytes: Uint8Array = NO_BYTES;
let lastWords: DataView | null = null;

/** Memory that is used again and again, with words. Its bytes may be anything at first. */
export function lastingBytes(size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  views.set(bytes, new DataView(bytes.buffer, bytes.byteOffset, size));
  return bytes;
}

/** The words of `bytes`, at the same offsets; null: it is not of `lastingBytes`. */
export function wordsOf(bytes: Uint8Array): DataView | null {
  return views.get(bytes) ?? null;
}

/** The same, at once where the last call was for the same buffer. */
export function wordsToRead(bytes: Uint8Array): DataView | null {
  return bytes === lastBytes ? lastWords : lookUp(bytes);
}

function lookUp(bytes: Uint8Array): DataView | null {
  const words = wordsOf(bytes);
  if (bytes.length > REMEMBERED_BYTES) return words;
  lastBytes = bytes;
  lastWords = words;
  return words;
}
