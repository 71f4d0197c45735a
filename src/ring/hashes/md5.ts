import { createHash } from 'node:crypto';

/** The first four bytes of the digest, little endian. The slowest by far: about a microsecond. */
export function md5(buffer: Uint8Array, start: number, end: number): number {
  return createHash('md5').update(buffer.subarray(start, end)).digest().readUInt32LE(0);
}
