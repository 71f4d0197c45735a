/** What a proxy has counted of its groups of keys, as it tells it to others of its ring. */
import { z } from 'zod';
import { FILL_OUTCOMES, type FillOutcome } from '../proxy/measure/fill-counts.js';
import type { GroupFigures } from '../proxy/measure/group-figures.js';
import {
  noReplicaReads,
  REPLICA_READ_OUTCOMES,
  type ReplicaReadOutcome,
} from '../proxy/measure/replica-read-counts.js';

/** What proxies ask each other for this. */
export const GROUP_FIGURES_PATH = 'group-figures';

/** More than any proxy has. */
const MOST_GROUPS = 1024;

const count = z.number().nonnegative();
/** A newer version may tell more outcomes, and an older one fewer. */
const fills = z.object(
  Object.fromEntries(FILL_OUTCOMES.map((outcome) => [outcome, count.default(0)])) as Record<
    FillOutcome,
    z.ZodDefault<typeof count>
  >,
);

/** A version before these reads tells nothing of them. */
const replicaReads = z
  .object(
    Object.fromEntries(REPLICA_READ_OUTCOMES.map((outcome) => [outcome, count.default(0)])) as Record<
      ReplicaReadOutcome,
      z.ZodDefault<typeof count>
    >,
  )
  .default(noReplicaReads);

const figures = z
  .array(
    z.object({
      group: z.string().max(200),
      ...{ calls: count, errors: count, hits: count, misses: count },
      ...{ nearHits: count, nearMisses: count, nearEntries: count, nearBytes: count },
      ...{ replicatedKeys: count, replicatedBytes: count, fills, replicaReads },
      perSecond: count.nullable(),
    }),
  )
  .max(MOST_GROUPS);

/** @returns null: it is none, of whatever form it is */
export function figuresFrom(body: unknown): GroupFigures[] | null {
  return figures.safeParse(body).data ?? null;
}
