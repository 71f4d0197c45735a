/**
 * Sample calls of every command that nodes answer, with the edge cases in which a proxy could differ from a server: in
 * conversations whose keys have one hash tag. `null` stands for a reply that depends on chance or time.
 */
type Words = readonly (string | Uint8Array)[];
export type Sample = Words | { readonly varies: Words };

const varies = (...words: (string | Uint8Array)[]): Sample => ({ varies: words });
const lines = (text: string): Words[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' '));

export const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  strings: [
    ...lines(`
      SET {t}a 10
      GET {t}a
      GETSET {t}a 11
      GETDEL {t}a
      GETEX {t}a
      SETNX {t}a 1
      SETNX {t}a 2
      SETEX {t}e 1000 x
      PSETEX {t}e 1000000 x
      INCR {t}a
      INCRBY {t}a 10
      INCRBYFLOAT {t}a 0.5
      DECR {t}n
      DECRBY {t}n 3
      APPEND {t}n 00
      STRLEN {t}n
      SETRANGE {t}n 1 xx
      GETRANGE {t}n 0 -1
      SUBSTR {t}n 1 2
      MSET {t}x 1 {t}y 2 {u}z 3
      MSET {t}x 1 {t}y
      MSETNX {t}x 1 {t}w 2
      MSETNX {t}v 1 {t}w 2
      MGET {t}x {t}missing {u}z {t}x
      LCS {t}n {t}a
      LCS {t}n {t}a LEN
      SET {t}a x GET
      SET {t}a x XX GET KEEPTTL
      SET {t}a x NX XX
      SET {t}a x EX 0
    `),
  ],
  bits: lines(`
      SETBIT {t}b 7 1
      GETBIT {t}b 7
      GETBIT {t}b 70000
      BITCOUNT {t}b
      BITCOUNT {t}b 0 -1 BIT
      BITPOS {t}b 1
      BITOP NOT {t}c {t}b
      BITOP AND {t}c {t}b {t}missing
      BITFIELD {t}b SET u8 0 255 GET u4 2
      BITFIELD_RO {t}b GET u8 0
      SETBIT {t}b x 1
  `),
  keys: [
    ...lines(`
      SET {t}a 1
      SET {t}b 2
      DEL {t}none {u}none
      EXISTS {t}a {t}a {u}a
      TOUCH {t}a {t}b
      TYPE {t}a
      RENAME {t}a {t}c
      RENAME {t}a {t}c
      RENAMENX {t}c {t}b
      COPY {t}b {t}d
      COPY {t}b {t}d
      COPY {t}b {t}d REPLACE
      COPY {t}b {t}d DB 3
      COPY {t}b {t}d DB 3 REPLACE
      COPY {t}b {t}d DB 99
      COPY {t}b {t}d DB x
      COPY {t}b {t}b
      MOVE {t}d 3
      MOVE {t}d 4
      MOVE {t}d 0
      MOVE {t}d 99
      SELECT 4
      GET {t}d
      MOVE {t}d 0
      SELECT 3
      GET {t}d
      SELECT 0
      GET {t}d
      EXPIREAT {t}b 33177117420
      EXPIRETIME {t}b
      PEXPIREAT {t}b 33177117420000 GT
      PEXPIRETIME {t}b
      PERSIST {t}b
      TTL {t}b
      PTTL {t}missing
      EXPIRE {t}b 1000 NX
      PEXPIRE {t}b 1000 XX
      EXPIRE {t}b x
      UNLINK {t}b {u}b
      OBJECT ENCODING {t}c
      OBJECT REFCOUNT {t}d
      OBJECT IDLETIME {t}d
      OBJECT FREQ {t}d
      OBJECT ENCODING {t}missing
      OBJECT NOSUCH {t}d
      MEMORY USAGE {t}d
      MEMORY USAGE {t}d SAMPLES 0
      MEMORY USAGE {t}missing
      DUMP {t}d
      DUMP {t}missing
      RESTORE {t}r 0 nonsense
    `),
    ['RESTORE', '{t}r', '0', Buffer.from('00c00209004eed3e69fc8c4b9b', 'hex')],
    ['RESTORE', '{t}r', '0', Buffer.from('00c002090000000000000000', 'hex')],
    varies('PTTL', '{t}e'),
    varies('OBJECT', 'HELP'),
    varies('RANDOMKEY'),
    ...lines(`
      DBSIZE
      KEYS {nothing}*
      SORT {t}missing
    `),
    varies('KEYS', '*'),
    varies('SCAN', '0', 'COUNT', '1000'),
    ['SCAN', 'x'],
    ['SCAN', '0', 'COUNT', '0'],
  ],
  sort: lines(`
      RPUSH {t}l 3 1 2
      MSET {t}w_1 30 {t}w_2 20 {t}w_3 10 {t}o_1 one {t}o_2 two
      HSET {t}h_1 f h1
      SORT {t}l
      SORT {t}l DESC LIMIT 0 2
      SORT {t}l BY {t}w_*
      SORT {t}l BY {t}w_* GET {t}o_* GET # GET {t}h_*->f
      SORT {t}l BY nosort GET #
      SORT_RO {t}l BY {t}w_*
      SORT {t}l BY {t}w_* STORE {t}s
      LRANGE {t}s 0 -1
      SORT {t}l STORE
      SORT {t}l LIMIT x 1
      SORT {t}l NOSUCH
  `),
  lists: lines(`
      RPUSH {t}l a b c d e
      LPUSH {t}l z
      LPUSHX {t}none x
      RPUSHX {t}l f
      LINSERT {t}l BEFORE c x
      LLEN {t}l
      LINDEX {t}l -1
      LPOS {t}l c RANK 1 COUNT 0
      LSET {t}l 0 y
      LSET {t}l 100 y
      LREM {t}l 1 x
      LTRIM {t}l 0 5
      LPOP {t}l
      RPOP {t}l 2
      RPOPLPUSH {t}l {t}m
      LMOVE {t}l {t}m LEFT RIGHT
      LMOVE {t}l {t}m LEFT UP
      LMPOP 2 {t}none {t}m LEFT COUNT 1
      LMPOP 0 {t}m LEFT
      LMPOP x {t}m LEFT
      BLPOP {t}m 1
      BRPOP {t}none {t}l 1
      RPUSH {t}l a b c d e
      BLMOVE {t}l {t}m LEFT RIGHT 1
      BRPOPLPUSH {t}l {t}m 1
      BLMPOP 1 2 {t}none {t}l LEFT
      BLPOP {t}none 0.01
      LRANGE {t}l 0 -1
      LRANGE {t}m 0 -1
  `),
  sets: [
    ...lines(`
      SADD {t}s 1
      SADD {t}u 1 2 3
      SCARD {t}u
      SISMEMBER {t}u 2
      SMISMEMBER {t}u 2 9
      SMEMBERS {t}u
      SDIFF {t}u {t}s
      SINTER {t}u {t}s
      SUNION {t}u {t}s
      SINTERCARD 2 {t}u {t}s LIMIT 1
      SINTERCARD 3 {t}u {t}s
      SDIFFSTORE {t}d {t}u {t}s
      SINTERSTORE {t}d {t}u {t}s
      SUNIONSTORE {t}d {t}u {t}s
      SMOVE {t}u {t}s 3
      SMOVE {t}u {t}s 9
      SREM {t}s 1 9
      SSCAN {t}s 0
      SPOP {t}missing
      SPOP {t}s
      SRANDMEMBER {t}missing 3
    `),
    varies('SRANDMEMBER', '{t}u'),
  ],
  'sorted sets': [
    ...lines(`
      ZADD {t}z 1 a 2 b 3 c
      ZADD {t}z XX GT CH 5 a
      ZADD {t}z NX XX 1 a
      ZADD {t}y 10 b 20 d
      ZINCRBY {t}z 1.5 b
      ZCARD {t}z
      ZCOUNT {t}z (1 +inf
      ZLEXCOUNT {t}z - +
      ZSCORE {t}z a
      ZMSCORE {t}z a none
      ZRANK {t}z a
      ZREVRANK {t}z a
      ZRANGE {t}z 0 -1 WITHSCORES
      ZRANGE {t}z 0 10 BYSCORE REV
      ZREVRANGE {t}z 0 -1
      ZRANGEBYSCORE {t}z -inf 4 LIMIT 0 1
      ZREVRANGEBYSCORE {t}z 4 -inf
      ZRANGEBYLEX {t}z - +
      ZREVRANGEBYLEX {t}z + -
      ZRANGESTORE {t}d {t}z 0 1
      ZUNION 2 {t}z {t}y WEIGHTS 1 2
      ZINTER 2 {t}z {t}y WITHSCORES
      ZDIFF 2 {t}z {t}y
      ZINTERCARD 2 {t}z {t}y
      ZUNION 0 {t}z
      ZUNION x {t}z
      ZUNIONSTORE {t}d 2 {t}z {t}y AGGREGATE MAX
      ZINTERSTORE {t}d 2 {t}z {t}y
      ZDIFFSTORE {t}d 2 {t}z {t}y
      ZSCAN {t}z 0
      ZPOPMIN {t}z
      ZPOPMAX {t}z 1
      ZMPOP 2 {t}none {t}y MIN COUNT 2
      BZPOPMIN {t}z 1
      BZPOPMAX {t}z 0.01
      ZADD {t}z 1 a 2 b 3 c
      BZMPOP 1 2 {t}none {t}z MAX
      ZREM {t}z a
      ZADD {t}z 1 a 2 b 3 c
      ZREMRANGEBYRANK {t}z 0 0
      ZREMRANGEBYSCORE {t}z 2 2
      ZREMRANGEBYLEX {t}z - +
      ZRANDMEMBER {t}missing
    `),
  ],
  hashes: lines(`
      HSET {t}h a 1 b 2
      HSET {t}h a
      HMSET {t}h c 3
      HSETNX {t}h a 9
      HGET {t}h a
      HMGET {t}h a none
      HGETALL {t}h
      HKEYS {t}h
      HVALS {t}h
      HLEN {t}h
      HEXISTS {t}h a
      HSTRLEN {t}h a
      HINCRBY {t}h a 5
      HINCRBYFLOAT {t}h a 0.5
      HDEL {t}h b none
      HSCAN {t}h 0
      HRANDFIELD {t}missing
      HRANDFIELD {t}h 10 WITHVALUES
  `),
  hyperloglogs: lines(`
      PFADD {t}p a b c
      PFADD {t}q c d
      PFCOUNT {t}p {t}q
      PFMERGE {t}r {t}p {t}q
      PFCOUNT {t}r
      PFDEBUG ENCODING {t}r
  `),
  geo: lines(`
      GEOADD {t}g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
      GEODIST {t}g Palermo Catania km
      GEOHASH {t}g Palermo
      GEOPOS {t}g Palermo none
      GEORADIUS {t}g 15 37 200 km
      GEORADIUS_RO {t}g 15 37 200 km WITHDIST
      GEORADIUSBYMEMBER {t}g Palermo 200 km
      GEORADIUSBYMEMBER_RO {t}g Palermo 200 km
      GEORADIUS {t}g 15 37 200 km STORE {t}d
      GEORADIUSBYMEMBER {t}g Palermo 200 km STOREDIST {t}d
      GEOSEARCH {t}g FROMMEMBER Palermo BYRADIUS 200 km ASC
      GEOSEARCHSTORE {t}d {t}g FROMLONLAT 15 37 BYBOX 400 400 km STOREDIST
      ZRANGE {t}d 0 -1
  `),
  streams: [
    ...lines(`
      XADD {t}x 1-1 f v
      XADD {t}x 1-2 f v
      XADD {t}x 1-2 f v
      XADD {t}x 2-* f v
      XLEN {t}x
      XRANGE {t}x - +
      XREVRANGE {t}x + - COUNT 1
      XREAD COUNT 1 STREAMS {t}x {t}none 0 0
      XREAD STREAMS {t}x
      XREAD BLOCK 10 STREAMS {t}x $
      XGROUP CREATE {t}x g 0
      XGROUP CREATE {t}x g 0
      XGROUP CREATE {t}none g $ MKSTREAM
      XGROUP CREATECONSUMER {t}x g c
      XGROUP SETID {t}x g 0
      XREADGROUP GROUP g c COUNT 2 STREAMS {t}x >
      XREADGROUP GROUP nosuch c STREAMS {t}x >
      XACK {t}x g 1-1
      XPENDING {t}x nosuch
      XCLAIM {t}x g d 0 1-2 JUSTID
      XAUTOCLAIM {t}x g d 0 0 JUSTID
      XPENDING {t}x g
      XINFO STREAM {t}x
      XINFO GROUPS {t}x
      XINFO STREAM {t}missing
      XGROUP DELCONSUMER {t}x g d
      XSETID {t}x 9-9
      XDEL {t}x 1-1
      XTRIM {t}x MAXLEN 1
      XGROUP DESTROY {t}x g
      XRANGE {t}x - +
    `),
    varies('XADD', '{t}x', '*', 'f', 'v'),
    varies('XINFO', 'CONSUMERS', '{t}none', 'g'),
    varies('XINFO', 'HELP'),
    varies('XGROUP', 'HELP'),
  ],
  scripts: [
    ['EVAL', 'return {KEYS[1],ARGV[1]}', '1', '{t}k', 'v'],
    ['EVAL_RO', "return redis.call('set', KEYS[1], 'x')", '1', '{t}k'],
    ['EVAL', "return redis.call('mset', KEYS[1], 'x', KEYS[2], 'y')", '2', '{t}k', '{t}l'],
    ['SCRIPT', 'LOAD', 'return 1'],
    ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '0'],
    ['EVALSHA_RO', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '1', '{t}k'],
    ['SCRIPT', 'EXISTS', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 'x'],
    ['SCRIPT', 'KILL'],
    ['SCRIPT', 'FLUSH', 'SYNC'],
    ['SCRIPT', 'FLUSH', 'NOSUCH'],
    ['SCRIPT', 'HELP'],
    ['FUNCTION', 'LOAD', "#!lua name=l\nredis.register_function('f', function(keys) return keys end)"],
    ['FUNCTION', 'LOAD', '#!nosuch name=l\nx'],
    ['FCALL', 'f', '1', '{t}k'],
    ['FCALL', 'f', 'x', '{t}k'],
    ['FCALL', 'nosuch', '0'],
    ['FCALL_RO', 'f', '1', '{t}k'],
    ['FUNCTION', 'LIST'],
    ['FUNCTION', 'STATS'],
    ['FUNCTION', 'KILL'],
    varies('FUNCTION', 'DUMP'),
    ['FUNCTION', 'RESTORE', 'nonsense'],
    ['FUNCTION', 'DELETE', 'l'],
    ['FUNCTION', 'DELETE', 'l'],
    ['FUNCTION', 'FLUSH'],
    ['FUNCTION', 'HELP'],
  ],
  server: [
    ...lines(`
      FLUSHDB
      FLUSHALL ASYNC
      FLUSHALL NOSUCH
      COMMAND COUNT
      COMMAND GETKEYS MGET a b
      COMMAND GETKEYSANDFLAGS SET a b
      COMMAND INFO get
      COMMAND HELP
      MEMORY HELP
      LATENCY HELP
      CONFIG HELP
      CLIENT HELP
      PUBSUB HELP
      SLOWLOG HELP
      ACL CAT
      LOLWUT VERSION 1
    `),
    ['MODULE', 'LIST'],
    ['MODULE', 'HELP'],
    ['LATENCY', 'HISTORY', 'command'],
    ['LATENCY', 'LATEST'],
    ['LATENCY', 'HISTOGRAM', 'nosuch'],
    varies('LATENCY', 'DOCTOR'),
    varies('LATENCY', 'GRAPH', 'command'),
    varies('SLOWLOG', 'GET'),
    varies('SLOWLOG', 'LEN'),
    varies('MEMORY', 'STATS'),
    varies('MEMORY', 'DOCTOR'),
    varies('MEMORY', 'MALLOC-STATS'),
    varies('LASTSAVE'),
    varies('COMMAND'),
    varies('COMMAND', 'DOCS', 'get'),
    varies('COMMAND', 'LIST'),
    varies('TIME'),
    varies('INFO', 'server'),
    varies('ACL', 'GENPASS'),
    // Without the subcommands that the configuration stands for.
    varies('ACL', 'HELP'),
    ['ACL', 'WHOAMI'],
    ['CONFIG', 'GET', 'maxmemory'],
    ['CONFIG', 'GET', 'requirepass'],
    ['CONFIG', 'GET', 'max*-entries', 'nosuch'],
    varies('PUBSUB', 'CHANNELS'),
    varies('PUBSUB', 'SHARDCHANNELS'),
    varies('PUBSUB', 'NUMPAT'),
  ],
};
