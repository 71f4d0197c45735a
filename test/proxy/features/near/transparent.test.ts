/**
 * Random commands on keys of near groups, by clients of both protocols that take turns, through one process: each reply is
 * the one that a bare Redis gives to the same. What is kept is never seen as such.
 */
import { expect, it } from 'vitest';
import { Random } from '../../../fuzz/random.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';

/** Little memory, so that large values make others leave. */
const CONFIG = `
key-groups:
  near: { prefixes: ["near:"], cache: near, near-ttl: 1h }
  filled: { prefixes: ["fill:"], cache: near, near-ttl: 1h, fill-wait: 2ms }
near-memory: 1mb
`;
const SEED = Number(process.env.CHECK_SEED ?? 1);
const ROUNDS = Number(process.env.ROUNDS ?? 600);
const CLIENTS = 4;
const KEYS = ['near:{k}', 'near:{k}\r\n$3\r\n', 'near:{k}\0\xff', 'fill:{k}', 'fill:{k} *2', 'plain:{k}'];

type Command = (string | Buffer)[];

/** @param mayWrite whether it may */
function command(random: Random, round: number, mayWrite: boolean): Command[] {
  const key = (): Buffer => Buffer.from(random.pick(KEYS), 'latin1');
  const value = (): string =>
    random.chance(30) ? 'x'.repeat(random.below(70_000)) : random.pick(['1', '2', '', 'text', `of ${round}`]);
  const field = (): string => random.pick(['a', 'b']);
  const reads: (() => Command)[] = [
    () => ['GET', key()],
    () => ['get', key()],
    () => ['GET', key()],
    () => ['MGET', key(), key(), key()],
    () => ['GETRANGE', key(), '0', random.pick(['-1', '2'])],
    () => ['STRLEN', key()],
    () => ['EXISTS', key()],
    () => ['TYPE', key()],
    () => ['HGET', key(), field()],
    () => ['HGETALL', key()],
    () => ['HLEN', key()],
    () => ['LRANGE', key(), '0', '-1'],
    () => ['LINDEX', key(), '0'],
    () => ['LLEN', key()],
    () => ['SCARD', key()],
    () => ['SISMEMBER', key(), field()],
    () => ['ZSCORE', key(), field()],
    () => ['ZRANGE', key(), '0', '-1', 'WITHSCORES'],
    () => ['BITCOUNT', key()],
    () => ['GETBIT', key(), '1'],
    () => ['PTTL', Buffer.from('near:none')],
    () => ['GET'],
    () => ['GET', key(), key()],
  ];
  const writes: (() => Command[])[] = [
    () => [['SET', key(), value()]],
    () => [['SET', key(), value(), 'EX', '1000']],
    () => [['SET', key(), value(), random.pick(['NX', 'XX', 'GET', 'KEEPTTL'])]],
    () => [['GETSET', key(), value()]],
    () => [['GETDEL', key()]],
    () => [['GETEX', key(), random.pick(['PERSIST', 'EX']), ...(random.chance(50) ? ['1000'] : [])]],
    () => [['APPEND', key(), 'x']],
    () => [['SETRANGE', key(), '2', 'yy']],
    () => [['SETBIT', key(), '1', '1']],
    () => [['INCR', key()]],
    () => [['MSET', key(), value(), key(), value()]],
    () => [['MSETNX', key(), value(), key(), value()]],
    () => [['DEL', key(), key()]],
    () => [['UNLINK', key()]],
    () => [['RENAME', key(), key()]],
    () => [['RENAMENX', key(), key()]],
    () => [['COPY', key(), key(), ...(random.chance(50) ? ['REPLACE'] : [])]],
    () => [['HSET', key(), field(), value()]],
    () => [['HDEL', key(), field()]],
    () => [['RPUSH', key(), value()]],
    () => [['LPOP', key()]],
    () => [['LMOVE', key(), key(), 'LEFT', 'RIGHT']],
    () => [['SADD', key(), field()]],
    () => [['SMOVE', key(), key(), field()]],
    () => [['ZADD', key(), '1', field()]],
    () => [['SORT', key(), 'BY', 'nosort', 'STORE', key()]],
    () => [['SUNIONSTORE', key(), key(), key()]],
    () => [['BITOP', 'NOT', key(), key()]],
    () => [['EXPIRE', key(), random.pick(['-1', '1000'])]],
    () => [['PERSIST', key()]],
    () => [['EVAL', 'return redis.call("SET", KEYS[1], ARGV[1])', '1', key(), value()]],
    () => [['EVAL', 'redis.call("SET", ARGV[1], "by script") return 1', '0', key()]],
    () => [['EVAL', 'return redis.call("GET", ARGV[1])', '0', key()]],
    () => [['EVAL_RO', 'return redis.call("GET", KEYS[1])', '1', key()]],
    () => [['MULTI'], ['SET', key(), value()], ['GET', key()], ['DEL', key()], [random.pick(['EXEC', 'DISCARD'])]],
    () => [['WATCH', key()], ['GET', key()], ['MULTI'], ['INCR', key()], ['GET', key()], ['EXEC']],
    () => [['MOVE', key(), '1']],
    () => [['SELECT', random.pick(['0', '1'])]],
    () => (random.chance(20) ? [[random.pick(['FLUSHALL', 'FLUSHDB'])]] : [['DBSIZE']]),
    () => [['RESTORE', key(), '0', 'no dump']],
  ];
  return mayWrite && random.below(100) < 15 ? random.pick(writes)() : [random.pick(reads)()];
}

it('is what a bare Redis answers', { timeout: 120_000 }, async () => {
  const [node, bare] = await startRedises(2);
  if (node === undefined || bare === undefined) throw new Error('there are two');
  const proxy = await startRingproxy({ nodes: [node], config: CONFIG });
  const random = new Random(SEED);
  const pairs = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      const pair = await Promise.all([RawClient.connect(proxy.port), RawClient.connect(bare.port)]);
      if (i % 2 === 1) for (const client of pair) await client.command('HELLO', '3');
      return pair;
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const [one, other] = random.pick(pairs);
    // Now and then all that is kept ends: reads alone come in between.
    const mayWrite = round % 8 === 0;
    const commands = Array.from({ length: 1 + random.below(30) }, () => command(random, round, mayWrite)).flat();
    const [seen, wanted] = await Promise.all([one.pipeline(commands), other.pipeline(commands)]);
    for (const [i, words] of commands.entries()) {
      const what = `${round}.${i}: ${words.map(String).join(' ').slice(0, 200)}`;
      expect(`${what} → ${String(seen[i]).slice(0, 300)}`).toBe(`${what} → ${String(wanted[i]).slice(0, 300)}`);
      expect(seen[i]?.equals(wanted[i] ?? Buffer.alloc(0))).toBe(true);
    }
  }
  const series = await scrape(proxy.admin);
  expect(series.get('ringproxy_near_requests_total{group="near",result="hit"}')).toBeGreaterThan(ROUNDS / 2);
});
