/** A SHA-1 in hexadecimal digits. */
const DIGEST_LENGTH = 40;

/** @returns the digest in lower case; empty when it is none, which a node then says */
export function digestOf(source: Buffer, start: number, end: number): string {
  if (end - start !== DIGEST_LENGTH) return '';
  return source.toString('latin1', start, end).toLowerCase();
}
