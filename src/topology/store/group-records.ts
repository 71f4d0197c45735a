/**
 * The groups of keys of a ring, as they are recorded beside it: what its proxies go by instead of their configuration.
 * They need no claim and no fence: whoever writes says which revision it has seen, and a ring may change meanwhile.
 */
import { z } from 'zod';
import type { Revision } from '../state/fleet.js';
import type { Written } from './ring-store.js';

/** Grows where a record says what earlier versions would take for something else. */
export const GROUPS_FORMAT = 1;

export const groupsRecord = z.object({
  /** In the words of the configuration; null: each proxy goes by its own. */
  groups: z
    .array(
      z.object({
        group: z.string(),
        prefixes: z.array(z.string()).readonly(),
        /** By its words, such as `near-ttl`. */
        policy: z.record(z.string(), z.string()),
      }),
    )
    .readonly()
    .nullable(),
  /** The id of the proxy at which it was asked for. */
  by: z.string(),
  /** ISO date. */
  at: z.string(),
});

export type GroupsRecord = Readonly<z.infer<typeof groupsRecord>>;

export interface StoredGroups {
  readonly revision: Revision;
  readonly record: GroupsRecord;
}

/** How groups are kept with their revision in a file. */
export const storedGroups = z.object({ revision: z.number().int().nonnegative(), record: groupsRecord });

/** What is told is told by `RingRecords.watch`. */
export interface GroupRecords {
  /** @returns null: no groups were ever recorded. @throws RingproxyError when it cannot be read, or is not understood */
  loadGroups(): Promise<StoredGroups | null>;
  /**
   * Records groups. When this returns a revision, they survive everybody's end.
   * @param expected the revision that the writer has seen; null: nothing was recorded yet
   * @returns null: somebody else has written since
   * @throws RingproxyError when it may not have been written
   */
  saveGroups(expected: Revision | null, record: GroupsRecord): Promise<Written>;
}
