/** What a command does with its keys, as far as rights go by it: Redis' key specifications, in short. */

/** Without either, a key's name must be within reach, and nothing is read or written (EXISTS). */
export const READ = 1;
export const WRITE = 2;

/** Where keys begin: at a fixed argument, or behind the first of a word from there on (STREAMS, STORE). */
interface Begin {
  readonly access: number;
  readonly first: number;
  /** In lower case; null: `first` is the key itself. */
  readonly word: string | null;
}

export type KeySpec =
  /** Up to `last` counted from the first one, or (negative) from the end; of what is left to the end only one `part`th. */
  | (Begin & { readonly kind: 'range'; readonly last: number; readonly step: number; readonly part: number })
  /** The first argument is a count, and so many keys stand behind it. */
  | (Begin & { readonly kind: 'count' })
  /** What is done hangs on the options. */
  | { readonly kind: 'set' | 'bitfield' | 'sort' }
  /** Nobody knows which ones: only who may do anything with all keys may send it. */
  | { readonly kind: 'unknown' };

/**
 * By Redis 7.0's `COMMAND` (the tests compare). `R` reads, `W` writes, `-` neither; `2` an argument, `2..-1` up to the
 * end, `2..+1` and the next, `/2` each other one; `2#` a count with keys behind it; `STORE@6` behind that word.
 */
const TABLE: readonly (readonly [specs: string, commands: string])[] = [
  [
    'R 1',
    `bitcount bitfield_ro bitpos dump expiretime geodist geohash geopos georadius_ro georadiusbymember_ro geosearch get getbit
     getrange hget hgetall hkeys hmget hrandfield hscan hvals lindex lpos lrange pexpiretime pttl smembers smismember
     sort_ro srandmember sscan substr ttl xpending xrange xrevrange zcount zlexcount zmscore zrandmember zrange zrangebylex
     zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore`,
  ],
  [
    'W 1',
    `append expire expireat geoadd hdel hmset hset hsetnx linsert lpush lpushx lrem lset ltrim persist pexpire pexpireat pfadd
     psetex restore restore-asking rpush rpushx sadd setex setnx setrange srem xack xadd xautoclaim xclaim xdel xsetid
     xtrim zadd zrem zremrangebylex zremrangebyrank zremrangebyscore`,
  ],
  [
    'RW 1',
    `decr decrby getdel getex getset hincrby hincrbyfloat incr incrby incrbyfloat lpop move rpop setbit spop zincrby zpopmax
     zpopmin`,
  ],
  ['- 1', 'hexists hlen hstrlen llen scard sismember strlen type xlen zcard'],
  ['- 2', 'memory|usage object|encoding object|freq object|idletime object|refcount'],
  ['W 2', 'xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid'],
  ['R 2', 'pfdebug xinfo|consumers xinfo|groups xinfo|stream'],
  ['RW 3', 'migrate'],
  ['R 1..-1', 'mget pfcount sdiff sinter sunion'],
  ['- 1..-1', 'exists touch watch'],
  ['W 1..-1', 'del unlink'],
  ['W 1..-1/2', 'mset msetnx'],
  ['RW 1..-2', 'blpop brpop bzpopmax bzpopmin'],
  ['R 1..+1', 'lcs'],
  ['R 1#', 'sintercard zdiff zinter zintercard zunion'],
  ['RW 1#', 'lmpop zmpop'],
  ['RW 2#', 'blmpop bzmpop eval evalsha fcall'],
  ['R 2#', 'eval_ro evalsha_ro fcall_ro'],
  ['RW 1; W 2', 'blmove brpoplpush lmove rename renamenx rpoplpush smove'],
  ['R 1; W 2', 'copy'],
  ['W 1; R 2', 'geosearchstore zrangestore'],
  ['W 1; R 2#', 'zdiffstore zinterstore zunionstore'],
  ['W 1; R 2..-1', 'sdiffstore sinterstore sunionstore'],
  ['RW 1; R 2..-1', 'pfmerge'],
  ['W 2; R 3..-1', 'bitop'],
  ['R 1; W STORE@6; W STOREDIST@6', 'georadius'],
  ['R 1; W STORE@5; W STOREDIST@5', 'georadiusbymember'],
  ['R STREAMS@1..-1:2', 'xread'],
  ['R STREAMS@4..-1:2', 'xreadgroup'],
  // A shard channel is no key, though it is found like one; of DEBUG no version asks more than the right to send it.
  ['', 'spublish ssubscribe sunsubscribe debug'],
  ['SET', 'set'],
  ['BITFIELD', 'bitfield'],
  ['SORT', 'sort'],
];

const FORM = /^(R?W?|-) (?:([A-Z]+)@)?(\d+)(#)?(?:\.\.([+-]\d+))?(?:\/(\d+))?(?::(\d+))?$/;
const BY_COMMAND: ReadonlyMap<string, readonly KeySpec[]> = new Map(
  TABLE.flatMap(([specs, commands]) => {
    const parsed = specs === '' ? [] : specs.split('; ').map(parse);
    return commands.split(/\s+/).map((name) => [name, parsed] as const);
  }),
);

/** @param name `container|subcommand` of a subcommand @returns undefined: Redis 7.0 has no such command with keys */
export function keySpecsOf(name: string): readonly KeySpec[] | undefined {
  return BY_COMMAND.get(name);
}

export const UNKNOWN_KEYS: readonly KeySpec[] = [{ kind: 'unknown' }];

function parse(spec: string): KeySpec {
  if (spec === 'SET' || spec === 'BITFIELD' || spec === 'SORT') return { kind: lower(spec) };
  const [, letters = '', word, first, counted, last = '0', step = '1', part = '0'] = FORM.exec(spec) ?? [];
  const access = (letters.includes('R') ? READ : 0) | (letters.includes('W') ? WRITE : 0);
  const begin = { access, first: Number(first), word: word?.toLowerCase() ?? null };
  if (counted !== undefined) return { ...begin, kind: 'count' };
  return { ...begin, kind: 'range', last: Number(last), step: Number(step), part: Number(part) };
}

function lower<Word extends string>(word: Word): Lowercase<Word> {
  return word.toLowerCase() as Lowercase<Word>;
}
