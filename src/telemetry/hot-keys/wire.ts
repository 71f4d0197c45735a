/** The hottest keys of a proxy as it tells them to others of its ring: JSON, keys in base64. */
import { z } from 'zod';
import type { HotReport } from '../../proxy/measure/hot-keys/hot-report.js';

/** What proxies ask each other for this. */
export const HOT_KEYS_PATH = 'hot-keys';

/** More than any proxy tells. */
const MOST_KEYS = 1024;

const rate = z.number().nonnegative();

const report = z.object({
  perSecond: rate,
  sampled: rate,
  missing: z.array(z.string().max(200)).max(MOST_KEYS).default([]),
  keys: z
    .array(
      z.object({
        key: z
          .base64()
          .max(4096)
          .transform((text) => Buffer.from(text, 'base64')),
        bytes: z.number().int().nonnegative(),
        database: z.number().int().nonnegative(),
        group: z.string().nullable().default(null),
        perSecond: rate,
        reads: z.number().min(0).max(1),
        near: z.boolean().default(false),
      }),
    )
    .max(MOST_KEYS),
});

export function toWire({ keys, ...rest }: HotReport): object {
  return { ...rest, keys: keys.map((one) => ({ ...one, key: Buffer.from(one.key).toString('base64') })) };
}

/** @returns null: it is none, of whatever form it is */
export function fromWire(body: unknown): HotReport | null {
  return report.safeParse(body).data ?? null;
}
