/**
 * What a row of the command table may say of a command beyond its keys, its route and its merge: one column for each
 * thing that some part of the proxy decides by the command. Everybody else asks the row, and nobody a command's name.
 */

/**
 * What a reply says about the cache.
 * - `none`: nothing.
 * - `key`: nil is a miss, anything else a hit (GET).
 * - `array`: so is each of its elements (MGET).
 */
export type CacheRead = 'none' | 'key' | 'array';

/**
 * What a command that reads one key answers when the key is not there. While keys move, such a read is asked of the
 * node that its key leaves, without moving it first: any other reply is the key's; this one means that the node it goes
 * to must be asked as well (and answers the same, if the key is there but reads like a missing one).
 * - `no key`: nil, and only when the key is not there (GET). `nil`: nil, also for a field or an element that is not there.
 * - `zero`, `empty`, `minus two`, `none`: 0, nothing in it, -2, the word none.
 *
 * Not here: reads whose reply for a missing key depends on their arguments (LPOS, BITPOS, SRANDMEMBER) or has parts
 * (HMGET, ZMSCORE, GEOPOS), and those of several keys.
 */
export type MissingReply = 'no key' | 'nil' | 'zero' | 'empty' | 'minus two' | 'none';

/**
 * Whether the proxy may keep what a read of one key answers, and answer it again until the key changes or ends: then its
 * reply hangs on nothing but the key's value and the frame's bytes. So nothing that tells of times (TTL), of how a value
 * is kept (OBJECT), or that is drawn by lot (SRANDMEMBER).
 * - `while fields last`: where nodes have no times of expiry for fields of hashes (Redis 7.4 and newer have): of these
 *   nobody tells when they are over.
 */
export type NearRead = 'never' | 'always' | 'while fields last';

/**
 * Whether the client of a read whose key is not there may wait for the one that fills it (`fill-wait`). Reads of values do;
 * what asks about a key (EXISTS, TTL, SISMEMBER) is answered.
 * - `never`: it does not.
 * - `nil`: nil tells that the key is not there (GET). `each`: so does each nil of the array, of one of the keys (MGET).
 * - `like missing`: what it answers then (`missingReply`) it may also answer of a key that is there (HGET, LRANGE), so the
 *   key is looked at first. `all nil`: so it answers when all elements are nil (HMGET).
 */
export type AwaitsFill = 'never' | 'nil' | 'each' | 'like missing' | 'all nil';

/**
 * Which values a client knows for certain when it has sent this, whatever others did shortly before (NOLOOP).
 * - `none`: it may not.
 * - `always`: its keys' whole values, which change unless it fails (INCR).
 * - `perhaps`: its keys' whole values, and it may change nothing (DEL).
 * - `set`: as `always`, with those options of SET under which it writes in any case.
 */
export type OwnWrite = 'none' | 'always' | 'perhaps' | 'set';

/**
 * What becomes of a command between MULTI and EXEC.
 * - `queued`: it is kept for EXEC, as far as its route allows.
 * - `everywhere`: kept, and when EXEC has run it goes to the other nodes as well (FLUSHALL, FUNCTION LOAD).
 * - `at once`: it is carried out at once (EXEC, WATCH).
 * - `by node`: the proxy answers it otherwise; in a transaction a node does (PING).
 * - `select`: kept, and EXEC leaves the client in another database.
 * - `here`: kept, and the proxy answers it when EXEC has run: at once, and the client's protocol, replies and database
 *   stay as they are (CLIENT SETNAME).
 * - `here, peers told`: so, and the other processes of the proxy are told of it (CLIENT PAUSE).
 * - `refused`: only a node's answers can stand in EXEC's reply, and this one is the proxy's.
 * - `never`: Redis has it in no transaction (SAVE; its flag NO_MULTI).
 */
export type InTransaction =
  | 'queued'
  | 'everywhere'
  | 'at once'
  | 'by node'
  | 'select'
  | 'here'
  | 'here, peers told'
  | 'refused'
  | 'never';

/** Of what a transaction is made: MULTI `begins` it, EXEC `runs` it, DISCARD `drops` it. */
export type TransactionStep = 'begins' | 'runs' | 'drops';

/**
 * Whether a client that speaks RESP2 may send it while it is subscribed: other replies could not be told from messages.
 * - `follows`: it may, and need not wait until earlier subscriptions are confirmed (SUBSCRIBE).
 */
export type WhileSubscribed = 'refused' | 'allowed' | 'follows';

/**
 * What a command takes that waits.
 * - `first`, `last`: an element of a list (BLPOP, BRPOP). `elements`: several, from the end that it names (BLMPOP).
 * - `member`, `members`: of a sorted set, with scores (BZPOPMIN, BZMPOP).
 * - `moves`: an element, to another list (BLMOVE).
 * - `reads`: nothing, it reads entries (XREAD). `delivers`: a group's entries, to a consumer (XREADGROUP).
 * - `unknown`: nobody knows (modules), or there is nothing to be taken (WAIT).
 */
export type Taking = 'first' | 'last' | 'elements' | 'member' | 'members' | 'moves' | 'reads' | 'delivers' | 'unknown';

/** How a command waits at its node. */
export interface Waits {
  /**
   * Where its timeout stands, counted from the name; negative: from the end.
   * - `option`: behind the word BLOCK; without it the command does not wait (XREAD).
   * - `unknown`: the command is known to wait, and nobody knows for how long (modules).
   */
  readonly timeoutAt: number | 'option' | 'unknown';
  readonly unit: 'seconds' | 'milliseconds';
  /** What it answers when its time is over. */
  readonly nil: 'array' | 'bulk';
  /** Whether `$` among its ids means entries newer than any there is (XREAD). */
  readonly fromNewest: boolean;
  readonly takes: Taking;
}

/**
 * What is to be done for a command that goes to every node, beyond sending it and merging the replies.
 * - `load`: its second argument is a script, which is kept. `flush`: all scripts are forgotten.
 * - `exists`: scripts that are kept are loaded first.
 * - `past scripts`: it must reach nodes that run a script, so it goes by connections of its own.
 */
export type Everywhere = 'load' | 'flush' | 'exists' | 'past scripts';

/**
 * Commands of administration that must not say everything to every node, or mean something to the proxy itself.
 * - `settings`: CONFIG SET. `debug`: DEBUG. `users`: ACL SETUSER and its like, which are about users of the proxy.
 */
export type Administration = 'settings' | 'debug' | 'users';

/** Where a message goes that it publishes: to a channel, or a shard channel. */
export type Publishes = 'channel' | 'shard';

/** Which arguments nobody must see: `all`, or the two behind the word AUTH (HELLO). */
export type Secrets = 'all' | 'behind auth';

/** What a command may do with keys that every proxy has (`cache: replicated`). UNLINK is DEL there, and TOUCH is EXISTS; the last ones are about all keys. */
export type ReplicatedOperation =
  | 'get'
  | 'getdel'
  | 'getex'
  | 'mget'
  | 'mset'
  | 'psetex'
  | 'set'
  | 'setex'
  | 'strlen'
  | 'incr'
  | 'incrby'
  | 'decr'
  | 'decrby'
  | 'sadd'
  | 'scard'
  | 'sismember'
  | 'smembers'
  | 'smismember'
  | 'srem'
  | 'del'
  | 'exists'
  | 'expire'
  | 'expireat'
  | 'pexpire'
  | 'pexpireat'
  | 'ttl'
  | 'pttl'
  | 'expiretime'
  | 'pexpiretime'
  | 'persist'
  | 'type'
  | 'dbsize'
  | 'flushall'
  | 'flushdb'
  | 'keys'
  | 'randomkey';

/**
 * What a command does with such a key: an operation, or why it is refused.
 * - `no merge`: what it does depends on the value of the moment, of which each proxy may have another one (APPEND).
 * - `other value`: only simple commands of strings, counters and sets are had so (not LPUSH, EVAL, BITCOUNT); so are commands that no row describes.
 */
export type OnReplicated = ReplicatedOperation | 'no merge' | 'other value';

/** What a command may do to its keys' times to live without saying one: groups with a `default-ttl` or a `max-ttl` care. */
export interface TtlBehind {
  /** Which keys: the first one, the last one of several (RENAME), or all (MSET). */
  readonly of: 'first' | 'last' | 'every';
  /** They may be new, and have none then. */
  readonly isNew: boolean;
  /** They may have lost theirs (PERSIST), or have got any: another key's (RENAME), a dump's (RESTORE), or by code. */
  readonly isAny: boolean;
}

/** Where a command says how long its key is to live. */
export interface TtlArgument {
  readonly at: number;
  readonly unit: 'seconds' | 'milliseconds';
  /** From now on, or since 1970. */
  readonly since: 'now' | 'epoch';
  /** The command that says the same in milliseconds from now on, at the same place. */
  readonly like: 'PEXPIRE' | 'PSETEX';
}

/**
 * Where a command says how long its key is to live, or `options`: behind one of the words EX, PX, EXAT and PXAT, from
 * the argument with this number on.
 */
export type TtlGiven = TtlArgument | { readonly optionsFrom: number };

/** The unit of an offset in a value, which is thereby made that long: bytes (SETRANGE) or bits (SETBIT). */
export type Extends = 'bytes' | 'bits';

/**
 * What becomes of a command whose keys are on several nodes, where that is allowed (`cross-node`).
 * - `refused`: it runs on one node only.
 * - `reads`: it runs where most of its keys are, and the others are lent to that node.
 * - `writes first`, `writes last`: it writes that key, and runs where it is; the others are lent.
 * - `code`: scripts and functions that declare not to write run as `reads` do.
 * - `waits`: it tries each key where it is, until one of them has something.
 * - The others are carried out in steps, one node after the other: RENAME `renames`, LMOVE `moves element`, SMOVE
 *   `moves member`, MSETNX `sets all or none`, LMPOP `pops first`, XREAD reads `streams`.
 */
export type CrossNode =
  | 'refused'
  | 'reads'
  | 'writes first'
  | 'writes last'
  | 'code'
  | 'renames'
  | 'renames unless there'
  | 'moves element'
  | 'moves member'
  | 'sets all or none'
  | 'pops first'
  | 'streams'
  | 'waits';
