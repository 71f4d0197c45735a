/**
 * Symptom: MULTI and millions of tiny commands took 240 bytes for each 20, 4.4 GB before `client-query-limit` (1 GB) was
 * reached, and as much again at EXEC, which then took its node down. Cause: an object and a buffer for each command, of
 * which only the frame's bytes were counted, and a request for each reply.
 */
import { beforeAll, expect, it } from 'vitest';
import { request } from '../../../../src/resp/encode.js';
import { megabytes } from '../../../support/process-memory.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { SMALL_HEAP, startRingproxy } from '../../../support/ringproxy-process.js';

const BLOCK = 10_000;

let nodes: RedisProcess[];

beforeAll(async () => {
  nodes = await startRedises(2);
});

/** Sends the command so many times, in blocks, each when the one before is answered. @returns the last reply */
async function repeat(client: RawClient, words: readonly string[], count: number): Promise<string> {
  const block = Buffer.from(Buffer.from(request(words)).toString('latin1').repeat(BLOCK), 'latin1');
  let last = '';
  for (let sent = 0; sent < count; sent += BLOCK) {
    client.send(block);
    last = String((await client.replies(BLOCK)).at(-1));
  }
  return last;
}

it.each([
  [['PING'], 1_000_000, 14],
  [['SET', 'k', 'v'], 1_000_000, 27],
])(
  'a transaction of %j, %d times, takes about what the client has sent',
  async (words, count, length) => {
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    // What the process needs once.
    await repeat(client, words, 100_000);
    const before = megabytes(proxy.pid, 'now');
    await client.command('MULTI');
    expect(await repeat(client, words, count)).toBe('+QUEUED\r\n');
    const exec = await client.command('EXEC');
    expect(exec.subarray(0, 10).toString()).toBe(`*${count}\r\n`);
    expect(await client.text('PING')).toBe('+PONG\r\n');
    const sent = (count * length) / 1_048_576;
    expect(megabytes(proxy.pid, 'peak') - before).toBeLessThan(2.5 * sent + 40);
  },
  60_000,
);

it.each([
  [['PING']],
  [['SET', 'k', 'v']],
  [['SELECT', '0']],
  [['CLIENT', 'SETNAME', 'n']],
  [['MSET', ...Array.from({ length: 20 }, (_, i) => [`{k}${i}`, '']).flat()]],
])(
  'a transaction of %j is bounded by client-query-limit in memory',
  async (words) => {
    const proxy = await startRingproxy({ nodes, config: 'client-query-limit: 32mb\n' });
    const client = await RawClient.connect(proxy.port);
    await repeat(client, ['PING'], 100_000);
    const before = megabytes(proxy.pid, 'now');
    await client.command('MULTI');
    const block = Buffer.from(Buffer.from(request(words)).toString('latin1').repeat(BLOCK), 'latin1');
    let refused = false;
    while (!refused) {
      client.send(block);
      refused = (await client.replies(BLOCK)).some((reply) =>
        String(reply).startsWith('-ERR the transaction is larger'),
      );
    }
    expect(megabytes(proxy.pid, 'peak') - before).toBeLessThan(2 * 32 + 40);
    expect(await client.text('EXEC')).toMatch(/^-EXECABORT/);
  },
  60_000,
);

it('watching the same keys again and again takes no memory', async () => {
  const proxy = await startRingproxy({ nodes, env: SMALL_HEAP });
  const client = await RawClient.connect(proxy.port);
  const watch = ['WATCH', ...Array(10).fill('k')];
  await repeat(client, watch, 100_000);
  const before = megabytes(proxy.pid, 'now');
  expect(await repeat(client, watch, 300_000)).toBe('+OK\r\n');
  expect(megabytes(proxy.pid, 'peak') - before).toBeLessThan(20);
}, 60_000);

it('what a client has queued goes with it', async () => {
  const proxy = await startRingproxy({ nodes });
  const value = 'v'.repeat(1_000_000);
  const queueAndLeave = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const client = await RawClient.connect(proxy.port);
      await client.command('MULTI');
      for (let megabyte = 0; megabyte < 8; megabyte++) {
        expect(await client.text('SET', 'k', value)).toBe('+QUEUED\r\n');
      }
      client.close();
    }
  };
  await queueAndLeave(5);
  const before = megabytes(proxy.pid, 'now');
  await queueAndLeave(40);
  expect(megabytes(proxy.pid, 'peak') - before).toBeLessThan(160);
}, 60_000);
