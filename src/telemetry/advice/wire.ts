/** Which keys commands had on several nodes at a proxy, as it tells it to others of its ring. */
import { z } from 'zod';
import type { ApartKeys } from '../../proxy/measure/apart/apart-keys.js';

/** What proxies ask each other for this. */
export const APART_KEYS_PATH = 'apart-keys';

/** More than any proxy has. */
const MOST_ROWS = 1024;

const texts = z.array(z.string().max(1024)).max(64);

const rows = z
  .array(
    z.object({
      command: z.string().max(200),
      isSplit: z.boolean(),
      calls: z.number().nonnegative(),
      refused: z.number().nonnegative(),
      shapes: texts,
      tagged: texts.nullable(),
      kind: z.enum(['value', 'prefix']).nullable(),
      value: z.string().max(1024).nullable(),
      varies: z.boolean(),
      example: texts,
    }),
  )
  .max(MOST_ROWS);

/** @returns null: it is none, of whatever form it is */
export function apartKeysFrom(body: unknown): ApartKeys[] | null {
  return rows.safeParse(body).data ?? null;
}
