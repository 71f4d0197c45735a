/**
 * Which server is the master of a followed node, as the proxies of the ring have agreed, and which of them have left the
 * one before. It is what a proxy that starts knows of the time before, and what one goes by whose Sentinels do not answer.
 */
import { z } from 'zod';
import type { Revision } from '../state/fleet.js';
import type { Written } from './ring-store.js';

/** Grows where a record says what earlier versions would take for something else. */
export const MASTER_FORMAT = 1;

/** The identity of a node as one text: see `nodeKey` in `node/identity.ts`. */
export type NodeKey = string;

export const masterRecord = z.object({
  /** `HOST:PORT`. */
  address: z.string(),
  /** Of Sentinel's configuration; null: it is not Sentinels that say so. */
  epoch: z.number().int().nullable(),
  /** Names the history of writes that it has (see `Replication`); empty: it has not said. */
  history: z.string(),
  /** Who was master before; null: nobody that is known. */
  former: z.string().nullable(),
  /** Grows with each master. */
  serial: z.number().int().nonnegative(),
  /** Ids of the proxies that have no connection to the former one any more, nor open one. */
  left: z.array(z.string()).readonly(),
  /** Nobody has to be waited for any more. */
  settled: z.boolean(),
  /** ISO date: for people. */
  since: z.string(),
  /** Of its process; empty, or missing: it has not said. */
  runId: z.string().optional(),
  /** Who served last, until this one does. */
  served: z.object({ address: z.string(), history: z.string(), runId: z.string() }).readonly().optional(),
  /** It does not serve before it is emptied: by which attempt, and which proxies have tried. */
  emptying: z
    .object({ attempt: z.string(), by: z.array(z.string()).readonly() })
    .readonly()
    .optional(),
});

export type MasterRecord = Readonly<z.infer<typeof masterRecord>>;

export interface StoredMaster {
  readonly revision: Revision;
  readonly record: MasterRecord;
}

/** How it is kept with its revision in a file. */
export const storedMaster = z.object({ revision: z.number().int().nonnegative(), record: masterRecord });

/** What is told is told by `RingRecords.watch`. */
export interface MasterRecords {
  /** A read that cannot be stale. @returns null: nothing is known. @throws RingproxyError when it cannot be read */
  loadMaster(node: NodeKey): Promise<StoredMaster | null>;
  /**
   * @param expected the revision that the writer has seen; null: nothing was recorded
   * @returns null: somebody else has written since
   * @throws RingproxyError when it may not have been written
   */
  saveMaster(node: NodeKey, expected: Revision | null, record: MasterRecord): Promise<Written>;
  /** The node has left the ring. @throws RingproxyError when it may not have been forgotten */
  forgetMaster(node: NodeKey): Promise<void>;
}
