/** Transactions whose keys are on several nodes: what a single Redis answers, where nothing fails. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

let single: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;

beforeAll(async () => {
  single = await startRedis();
  nodes = await startRedises(3);
  proxy = await startRingproxy({ nodes });
});

type Words = readonly string[];

/** Numbers that look random, and are the same for a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function keysOf(random: (below: number) => number, count: number): string[] {
  return Array.from({ length: count }, () => `k${random(20)}`);
}

const COMMANDS: readonly ((random: (below: number) => number) => Words)[] = [
  (random) => ['SET', `k${random(20)}`, `v${random(1000)}`],
  (random) => ['SET', `k${random(20)}`, 'x'.repeat(random(3000))],
  (random) => ['GET', `k${random(20)}`],
  (random) => ['INCR', `k${random(20)}`],
  (random) => ['APPEND', `k${random(20)}`, 'more'],
  (random) => ['RPUSH', `k${random(20)}`, 'a', 'b'],
  (random) => ['LRANGE', `k${random(20)}`, '0', '-1'],
  (random) => ['HSET', `k${random(20)}`, 'f', `v${random(9)}`],
  (random) => ['HGETALL', `k${random(20)}`],
  (random) => ['DEL', ...keysOf(random, 1 + random(5))],
  (random) => ['UNLINK', ...keysOf(random, 1 + random(5))],
  (random) => ['EXISTS', ...keysOf(random, 1 + random(6))],
  (random) => ['TOUCH', ...keysOf(random, 1 + random(6))],
  (random) => ['MGET', ...keysOf(random, 1 + random(8))],
  (random) => ['MSET', ...keysOf(random, 1 + random(6)).flatMap((key) => [key, `m${random(100)}`])],
  (random) => ['MSET', ...keysOf(random, 1 + 2 * random(3))],
  (random) => ['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', `k${random(20)}`, `e${random(9)}`],
  (random) => ['EVALSHA', '4a2267357833227dd98abdedb8cf24b15a986445', '1', `k${random(20)}`],
  () => ['SCRIPT', 'LOAD', 'return KEYS[1]'],
  () => ['PING'],
  () => ['ECHO', 'text'],
  (random) => ['SELECT', String(random(3))],
  () => ['SELECT', '99'],
  (random) => (random(8) === 0 ? ['FLUSHDB'] : ['PING', 'x']),
  (random) => ['CLIENT', 'SETNAME', `name${random(9)}`],
  () => ['CLIENT', 'GETNAME'],
];

/** A block of commands, mostly a transaction; sometimes with a watched key that the client itself changes. */
function block(random: (below: number) => number): Words[] {
  const words: Words[] = [];
  if (random(4) === 0) words.push(['WATCH', ...keysOf(random, 1 + random(3))]);
  if (random(6) === 0) words.push(['WATCH', ...keysOf(random, 1 + random(3))]);
  if (random(6) === 0) words.push(['SET', `k${random(20)}`, 'changed']);
  words.push(['MULTI']);
  const count = random(12);
  for (let i = 0; i < count; i++) {
    const make = COMMANDS[random(COMMANDS.length)];
    if (make !== undefined) words.push(make(random));
  }
  if (random(20) === 0) words.push(['NOSUCH']);
  words.push(random(15) === 0 ? ['DISCARD'] : ['EXEC']);
  if (random(3) === 0) words.push(['MGET', ...keysOf(random, 4)]);
  return words;
}

describe.each(['2', '3'])('RESP%s', (protocol) => {
  it.each([1, 2, 3, 4, 5])(
    'random transactions are answered as by a single Redis, and leave the same (%i)',
    async (seed) => {
      const told = await Promise.all(
        [single.port, proxy.port].map(async (port) => {
          const random = numbers(seed * 7919 + Number(protocol));
          const client = await RawClient.connect(port);
          await client.pipeline([['FLUSHALL'], ['SCRIPT', 'LOAD', 'return KEYS[1]'], ['HELLO', protocol]]);
          const log: string[] = [];
          for (let i = 0; i < 120; i++) {
            // Several of them at once, in one piece.
            const commands = Array.from({ length: 1 + random(4) }, () => block(random)).flat();
            const replies = await client.pipeline(commands);
            for (const [at, reply] of replies.entries())
              log.push(`${commands[at]?.join(' ')} -> ${reply.toString('latin1')}`);
          }
          for (let database = 0; database < 3; database++) {
            await client.command('SELECT', String(database));
            for (let key = 0; key < 20; key++) log.push(`${database} k${key} ${await client.text('DUMP', `k${key}`)}`);
          }
          return log;
        }),
      );
      expect(told[1]).toEqual(told[0]);
    },
  );
});
