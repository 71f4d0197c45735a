import type { AclCategory } from './acl.js';
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
  TransactionStep,
  TtlBehind,
  TtlGiven,
  Waits,
  WhileSubscribed,
} from './columns.js';
import type { KeySpec as RightsKeySpec } from './rights/access.js';
import type { CommandTable } from './table.js';

/**
 * How a command finds its nodes.
 * - `owner`: runs on the one node that owns all of its keys (several owners: -CROSSSLOT).
 * - `split`: its keys may have several owners: one part per owner, replies merged.
 * - `all`: to every node, replies merged.
 * - `any`: to one node, the same one for as long as it is up (keyless commands).
 * - `scan`: SCAN: one node after the other behind one cursor.
 * - `proxy`: answered by the proxy itself.
 * - `refused`: could break the ring, or makes no sense through a proxy.
 * - `admin`: like `all` with `admin-commands: allow`, otherwise refused.
 */
export type Route = 'owner' | 'split' | 'all' | 'any' | 'scan' | 'proxy' | 'refused' | 'admin';

/**
 * How the replies of several nodes become one.
 * - `none`: there is one reply only.
 * - `array`: array elements in the order of the keys (MGET).
 * - `sum`: integers added up.
 * - `ok`: the first error, otherwise the first reply.
 * - `concat`: arrays one behind the other (KEYS).
 * - `info`: INFO texts: proxy section and sums.
 * - `random`: one of the non-nil replies (RANDOMKEY).
 * - `least`: of each number in the arrays the least one (SCRIPT EXISTS).
 * - `one`: a success, when there is one (SCRIPT KILL).
 * - `running`: the reply of the node on which a script runs (FUNCTION STATS).
 * - `slowlog`: the latest entries of all (SLOWLOG GET).
 * - `history`: entries in the order of time (LATENCY HISTORY).
 * - `latest`: for each event the latest entry (LATENCY LATEST).
 * - `histograms`: histograms added up (LATENCY HISTOGRAM).
 * - `earliest`: the least integer (LASTSAVE).
 * - `texts`: each node's text under its name (MEMORY DOCTOR).
 * - `stats`: maps of figures added up (MEMORY STATS).
 */
export type Merge =
  | 'none'
  | 'array'
  | 'sum'
  | 'ok'
  | 'concat'
  | 'info'
  | 'random'
  | 'least'
  | 'one'
  | 'running'
  | 'slowlog'
  | 'history'
  | 'latest'
  | 'histograms'
  | 'earliest'
  | 'texts'
  | 'stats';

/**
 * What becomes of a command for all nodes, or for any of them, when one of them does not answer it.
 * - `nothing`: it fails with an error that names the node, since the reply of the others would be wrong (KEYS) or its
 *   effect incomplete (FLUSHALL).
 * - `down`: the others' reply counts, since one that is down is given what it has missed before it serves again.
 * - `errors`: one success is enough, whatever the others say; all are waited for (SCRIPT KILL).
 * - `rest`: the others' reply is as good, and does not wait for it (INFO).
 */
export type Tolerance = 'nothing' | 'down' | 'errors' | 'rest';

/**
 * Where the keys stand among the arguments; positions count from the command's name (0), so the first
 * argument behind it is 1.
 */
export type KeySpec =
  | { readonly kind: 'none' }
  /** Keys at `first`, `first + step`, … up to `last` (negative: counted from the end, -1 = the last argument). */
  | { readonly kind: 'range'; readonly first: number; readonly last: number; readonly step: number }
  /**
   * A count at `at`, and that many keys at `first`, `first + step`, …; `also`: one more key at a fixed position
   * (ZUNIONSTORE), or 0.
   */
  | {
      readonly kind: 'numkeys';
      readonly at: number;
      readonly first: number;
      readonly step: number;
      readonly also: number;
    }
  /** Behind the word STREAMS the first half of what follows (XREAD, XREADGROUP). */
  | { readonly kind: 'streams' }
  /** Behind a word at 1 one key, or several; none behind other words (DEBUG OBJECT, DEBUG DIGEST-VALUE). */
  | { readonly kind: 'looks'; readonly one: readonly string[]; readonly several: readonly string[] }
  /** Key at 1 and, behind one of these words, another (SORT … STORE key, GEORADIUS … STORE key). */
  | { readonly kind: 'keyword'; readonly first: number; readonly words: readonly string[]; readonly from: number };

/**
 * What is to be looked at once more when the owner of a command's keys is known.
 * - `script`: its first argument is a script. `digest`: a script's SHA-1. `code`: it runs other code of the node's.
 * - `sort`: may name further keys by patterns. `copy`, `move`: may write a key of another database.
 */
export type Special = 'script' | 'digest' | 'code' | 'sort' | 'copy' | 'move';

/** One row of the command table. Rows are frozen and made once; the hot path only reads them. */
export interface Command {
  /** Lower case; a subcommand's is `container|subcommand`. */
  readonly name: string;
  /** Dense number from 0, the index into flat counters; subcommands share their container's id. */
  readonly id: number;
  /** As in Redis: the exact number of arguments with the name, or (negative) the least number. */
  readonly arity: number;
  readonly write: boolean;
  readonly readOnly: boolean;
  /** It administers the server: MONITOR does not show it. */
  readonly admin: boolean;
  readonly route: Route;
  readonly merge: Merge;
  readonly tolerance: Tolerance;
  readonly keys: KeySpec;
  /** Position of the one key of a command whose only key stands at a fixed position and whose route is `owner`; otherwise 0. */
  readonly singleKeyAt: number;
  /** Arguments from one key to the next in a split command: 1 for MGET, 2 for MSET; 0 when not split. */
  readonly splitStep: number;
  /** For a command that only reads one key: its reply when the key is not there, where that is always the same; otherwise null. */
  readonly missingReply: MissingReply | null;
  readonly special: Special | null;
  /** For the route `all`; null: sending and merging is all. */
  readonly everywhere: Everywhere | null;
  /** For the route `admin`; null: it may say what it likes. */
  readonly administration: Administration | null;
  readonly cacheRead: CacheRead;
  readonly nearRead: NearRead;
  readonly awaitsFill: AwaitsFill;
  readonly ownWrite: OwnWrite;
  readonly onReplicated: OnReplicated;
  /** Null: it makes no keys, and their times to live stay, but for what `ttlGiven` says. */
  readonly ttlBehind: TtlBehind | null;
  /** Null: nowhere. */
  readonly ttlGiven: TtlGiven | null;
  /** Null: its values are as long as its arguments. */
  readonly extends: Extends | null;
  /** Null: it never waits at its node. */
  readonly waits: Waits | null;
  readonly crossNode: CrossNode;
  readonly inTransaction: InTransaction;
  readonly transactionStep: TransactionStep | null;
  readonly whileSubscribed: WhileSubscribed;
  /** Whether a client may send it that has not said its password. */
  readonly beforeAuth: boolean;
  /** Whether it is about all keys that there are (DBSIZE). The others that go to every node concern the nodes themselves. */
  readonly onAllKeys: boolean;
  /** Whether replicas are told of it, though it changes no key (PUBLISH). */
  readonly replicated: boolean;
  /** Whether it runs while clients are paused: otherwise nobody could end a pause before its time. */
  readonly whilePaused: boolean;
  /** Whether CLIENT CACHING, said before it, is for the command behind it. */
  readonly keepsCaching: boolean;
  readonly publishes: Publishes | null;
  /** Null: MONITOR shows all of its arguments. */
  readonly secrets: Secrets | null;
  /** By which a user is allowed or forbidden it. */
  readonly categories: readonly AclCategory[];
  /** What it does with which keys, for users' rights. */
  readonly keySpecs: readonly RightsKeySpec[];
  /** It is a module's: no category stands for it in rules. */
  readonly isOfModule: boolean;
  /** Why the command is refused, for the route `refused`; otherwise empty. */
  readonly reason: string;
  readonly subcommands: CommandTable | null;
}
