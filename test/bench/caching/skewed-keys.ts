/** The keys that skewed loads read, and their values. */
import { RawClient } from '../../support/raw-client.js';

export const VALUE_BYTES = 64;
const BATCH = 20_000;

export function skewedKey(prefix: string, rank: number): string {
  return `${prefix}${String(rank).padStart(12, '0')}`;
}

/** Writes all keys through a proxy, so that each is where the ring has it. */
export async function writeKeys(port: number, prefix: string, keys: number): Promise<void> {
  const client = await RawClient.connect(port);
  const value = Buffer.alloc(VALUE_BYTES, 'x');
  for (let first = 0; first < keys; first += BATCH) {
    const count = Math.min(BATCH, keys - first);
    await client.pipeline(Array.from({ length: count }, (_, i) => ['SET', skewedKey(prefix, first + i), value]));
  }
  client.close();
}
