/**
 * The same random bytes to a proxy with one node and to a bare Redis: the same replies, or errors of the
 * same kind, and the proxy never dies, hangs or grows. `FUZZ_STREAMS` and `FUZZ_SEED` change how many and
 * which; `npm run fuzz` runs 200,000.
 */
import { expect, it } from 'vitest';
import { megabytes } from '../support/process-memory.js';
import { startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { converse, sameReply, splitReplies } from './conversation.js';
import { Random } from './random.js';
import { randomCuts, randomStream } from './streams.js';

const STREAMS = Number(process.env.FUZZ_STREAMS ?? 3000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101);
const MEMORY_GROWTH_MB = 64;
const FLUSH = Buffer.from('FLUSHALL\r\n');

it(`${STREAMS} random streams are answered as a bare Redis answers them`, {
  timeout: 60_000 + STREAMS * 20,
}, async () => {
  const [bare, behind] = await startRedises(2);
  if (bare === undefined || behind === undefined) throw new Error('no servers');
  const proxy = await startRingproxy({ nodes: [behind] });
  const memory = (): number => megabytes(proxy.pid, 'now');
  const differences: string[] = [];
  let settled = 0;
  for (let i = 0; i < STREAMS && differences.length < 5; i++) {
    const random = new Random(SEED + i);
    const stream = randomStream(random);
    const pieces = randomCuts(random, stream);
    const [expected, found] = await Promise.all([converse(bare.port, pieces), converse(proxy.port, pieces)]);
    const wanted = splitReplies(expected);
    const replies = splitReplies(found);
    // A considered refusal, which ends a transaction; what follows has another meaning then.
    const refused = replies.findIndex((reply) => reply.includes('is not allowed in a transaction through the proxy'));
    if (refused >= 0 && refused < wanted.length) {
      wanted.length = refused;
      replies.length = refused;
      // The bare Redis has run it, so the two hold other keys from here on.
      await Promise.all([bare, behind].map(({ port }) => converse(port, [FLUSH])));
    }
    const same = wanted.length === replies.length && wanted.every((reply, k) => sameReply(reply, replies[k], stream));
    if (!same) {
      differences.push(JSON.stringify({ seed: SEED + i, stream: stream.toString('latin1'), wanted, replies }));
    }
    if (i === Math.min(1000, STREAMS >> 1)) settled = memory();
  }
  expect(differences.join('\n')).toBe('');
  expect(memory() - settled).toBeLessThan(MEMORY_GROWTH_MB);
});
