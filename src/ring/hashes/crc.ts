/** The CRCs of twemproxy (hashkit/nc_crc16.c, nc_crc32.c). */
const TABLE_16 = new Uint16Array(256);
const TABLE_32 = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc16 = byte << 8;
  let crc32 = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc16 = crc16 & 0x8000 ? (crc16 << 1) ^ 0x1021 : crc16 << 1;
    crc32 = crc32 & 1 ? (crc32 >>> 1) ^ 0xedb88320 : crc32 >>> 1;
  }
  TABLE_16[byte] = crc16;
  TABLE_32[byte] = crc32;
}

/** Twemproxy keeps the sum in 32 bits and never cuts it to 16. */
export function crc16(buffer: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = (crc << 8) ^ (TABLE_16[((crc >>> 8) ^ (buffer[at] as number)) & 0xff] as number);
  }
  return crc >>> 0;
}

/** All 32 bits. */
export function crc32a(buffer: Uint8Array, start: number, end: number): number {
  let crc = ~0;
  for (let at = start; at < end; at++) {
    crc = (crc >>> 8) ^ (TABLE_32[(crc ^ (buffer[at] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}

/** 15 bits only, as libmemcached has it: a ring with this hash is coarse. */
export function crc32(buffer: Uint8Array, start: number, end: number): number {
  return (crc32a(buffer, start, end) >>> 16) & 0x7fff;
}
