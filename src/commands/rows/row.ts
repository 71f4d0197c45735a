/** What a row says, and the shapes that many rows share. What it does not say is as in `build.ts`. */
import type { AclCategory } from '../acl.js';
import type {
  Administration,
  AwaitsFill,
  CacheRead,
  CrossNode,
  Everywhere,
  Extends,
  InTransaction,
  MissingReply,
  NearRead,
  OnReplicated,
  OwnWrite,
  Publishes,
  Secrets,
  Taking,
  TransactionStep,
  TtlArgument,
  TtlBehind,
  TtlGiven,
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
  readonly awaitsFill?: AwaitsFill;
  readonly ownWrite?: OwnWrite;
  readonly onReplicated?: OnReplicated;
  readonly ttlBehind?: TtlBehind;
  readonly ttlGiven?: TtlGiven;
  readonly extends?: Extends;
  readonly waits?: Waits;
  readonly crossNode?: CrossNode;
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

export const readsLent = { crossNode: 'reads' } as const;
export const writesFirst = { crossNode: 'writes first' } as const;
export const writesLast = { crossNode: 'writes last' } as const;

const behind = (of: TtlBehind['of'], isNew: boolean, isAny: boolean): { readonly ttlBehind: TtlBehind } => ({
  ttlBehind: { of, isNew, isAny },
});
/** The key that it writes may be new, and then has no time to live: its first one, or the last one, or all. */
export const creates = behind('first', true, false);
export const createsLast = behind('last', true, false);
export const createsEvery = behind('every', true, false);
/** Its last key gets what another one had, its time to live with it. */
export const copies = behind('last', true, true);
/** Its key, in another database, gets what it had in this one, its time to live with it. */
export const moves = behind('first', true, true);
/** Its key gets what was kept. */
export const restores = behind('first', true, true);
/** It may do anything to its keys. */
export const doesAnything = behind('every', true, true);
export const persists = behind('first', false, true);

const ttl = (
  unit: TtlArgument['unit'],
  since: TtlArgument['since'],
  like: TtlArgument['like'],
): { readonly ttlGiven: TtlGiven } => ({ ttlGiven: { at: 2, unit, since, like } });
/** Its second argument is a time to live, as in SETEX or in EXPIRE, or when its key expires. */
export const setsWithSeconds = ttl('seconds', 'now', 'PSETEX');
export const setsWithMilliseconds = ttl('milliseconds', 'now', 'PSETEX');
export const expiresInSeconds = ttl('seconds', 'now', 'PEXPIRE');
export const expiresInMilliseconds = ttl('milliseconds', 'now', 'PEXPIRE');
export const expiresAtSecond = ttl('seconds', 'epoch', 'PEXPIRE');
export const expiresAtMillisecond = ttl('milliseconds', 'epoch', 'PEXPIRE');

/** It waits until its last argument's time is over. */
export const waitsAtEnd = {
  timeoutAt: -1,
  unit: 'seconds',
  nil: 'array',
  fromNewest: false,
  takes: 'unknown',
} as const satisfies Waits;
/** It waits for an element, which it moves; its reply is that, or an array that is nil when its time is over. */
export const waitsToMove = {
  crossNode: 'waits',
  waits: { ...waitsAtEnd, takes: 'moves' },
} as const satisfies PolicyRow;

/** It waits for the first of its keys that has something, until its last argument's time is over. */
export const waitsToTake = (takes: Taking): { readonly crossNode: 'waits'; readonly waits: Waits } => ({
  crossNode: 'waits',
  waits: { ...waitsAtEnd, takes },
});
/** So it does, and its timeout stands in front of the count of its keys. */
export const waitsToTakeSome = (takes: Taking): { readonly crossNode: 'waits'; readonly waits: Waits } => ({
  crossNode: 'waits',
  waits: { ...waitsAtEnd, timeoutAt: 1, takes },
});
