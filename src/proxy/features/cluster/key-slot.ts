/** Slots as Redis Cluster has them: CRC-16/XMODEM of the key, or of its hash tag, modulo 16384. */

export const SLOTS = 16_384;

const POLYNOMIAL = 0x1021;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

/** From 0 to 16383. */
export function keySlot(key: Uint8Array): number {
  const hashed = hashTagOf(key);
  let crc = 0;
  for (const byte of hashed) crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] as number)) & 0xffff;
  return crc % SLOTS;
}

/** What stands between the first `{` and the next `}`, unless that is nothing; otherwise the key. */
function hashTagOf(key: Uint8Array): Uint8Array {
  const open = key.indexOf(OPEN);
  if (open < 0) return key;
  const close = key.indexOf(CLOSE, open + 1);
  return close > open + 1 ? key.subarray(open + 1, close) : key;
}
