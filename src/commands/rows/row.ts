/** What a row says, and the shapes that many rows share. What it does not say is as in `build.ts`. */
import type { AclCategory } from '../acl.js';
import type {
  Administration,
  CacheRead,
  Everywhere,
  InTransaction,
  MissingReply,
  NearRead,
  OwnWrite,
  Publishes,
  Secrets,
  TransactionStep,
  Waits,
  WhileSubscribed,
} from '../columns.js';
import type { KeySpec, Merge, Route, Special, Tolerance } from '../command.js';

/** The columns are described at `Command`. */
export interface PolicyRow {
  readonly route?: Route;
  readonly merge?: Merge;
  readonly tolerance?: Tolerance;
  readonly keys?: KeySpec;
  readonly special?: Special;
  readonly everywhere?: Everywhere;
  readonly administration?: Administration;
  readonly cacheRead?: CacheRead;
  readonly missingReply?: MissingReply;
  readonly nearRead?: NearRead;
  readonly ownWrite?: OwnWrite;
  readonly waits?: Waits;
  readonly inTransaction?: InTransaction;
  readonly transactionStep?: TransactionStep;
  readonly whileSubscribed?: WhileSubscribed;
  readonly beforeAuth?: boolean;
  readonly onAllKeys?: boolean;
  readonly replicated?: boolean;
  readonly whilePaused?: boolean;
  readonly keepsCaching?: boolean;
  readonly publishes?: Publishes;
  readonly secrets?: Secrets;
  readonly reason?: string;
  /** Categories beyond those that follow from its flags. */
  readonly acl?: readonly AclCategory[];
}

export type PolicyRows = Readonly<Record<string, PolicyRow>>;

export const OWN_SERVER = 'connect to the node itself';

export const all = (merge: Merge, tolerance: Tolerance = 'nothing') => ({ route: 'all', merge, tolerance }) as const;
export const split = (merge: Merge) => ({ route: 'split', merge }) as const;
export const refused = (reason: string) => ({ route: 'refused', reason }) as const;
export const proxy = { route: 'proxy' } as const satisfies PolicyRow;
export const any = { route: 'any' } as const satisfies PolicyRow;
export const admin = {
  route: 'admin',
  merge: 'ok',
  reason: 'it changes the nodes; allow it with admin-commands',
} as const satisfies PolicyRow;

/** @param at where the count of keys stands @param also a further key at a fixed position */
export const numkeys = (at: number, also = 0, step = 1) =>
  ({ keys: { kind: 'numkeys', at, first: at + 1, step, also } }) as const;
export const keyword = (words: readonly string[], from: number) =>
  ({ keys: { kind: 'keyword', first: 1, words, from } }) as const;

/** It waits until its last argument's time is over. */
export const waitsAtEnd = { timeoutAt: -1, unit: 'seconds', nil: 'array', fromNewest: false } as const satisfies Waits;
/** So it does, and its reply is one element. */
export const waitsForOne = { ...waitsAtEnd, nil: 'bulk' } as const satisfies Waits;
/** Its timeout stands in front of the count of its keys. */
export const waitsAtFirst = { ...waitsAtEnd, timeoutAt: 1 } as const satisfies Waits;
