/** Clients that have not given the password: what they announce, and what they would write into the log. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const MEBIBYTE = 1_048_576;

async function start(): Promise<RingproxyProcess> {
  const env = { RINGPROXY_PASSWORD: 'secret-of-clients', RINGPROXY_LOG_LEVEL: 'trace' };
  return startRingproxy({ nodes: await startRedises(1), env, allowLog: [/./] });
}

function residentOf({ pid }: RingproxyProcess): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pages * 4096;
}

/** Each announces more than it sends. */
const ANNOUNCED: readonly string[] = [
  '*2147483647\r\n',
  '*10\r\n$536870912\r\n',
  '*10\r\n$16384\r\n',
  '$536870912\r\n',
  '*3\r\n$4\r\nAUTH\r\n$536870911\r\n',
  'A'.repeat(60_000),
];

it('who announce much, and who flood, take little memory, and others are served', { timeout: 60_000 }, async () => {
  const proxy = await start();
  const friend = await RawClient.connect(proxy.port);
  expect(await friend.text('AUTH', 'secret-of-clients')).toBe('+OK\r\n');
  const before = residentOf(proxy);
  const strangers = await Promise.all(Array.from({ length: 300 }, () => RawClient.connect(proxy.port)));
  for (const [index, stranger] of strangers.entries()) {
    stranger.send(ANNOUNCED[index % ANNOUNCED.length] ?? '');
    stranger.send('*1\r\n$4\r\nPING\r\n'.repeat(index % 5 === 0 ? 5000 : 0));
  }
  for (let i = 0; i < 200; i++) expect(await friend.text('INCR', 'served')).toBe(`:${i + 1}\r\n`);
  expect(residentOf(proxy) - before).toBeLessThan(96 * MEBIBYTE);
});

it('write no line of their own into the log, and none of what they guess', async () => {
  const proxy = await start();
  const forged = '\r\n{"level":60,"msg":"forged"}\n\u001b[2J\u2028';
  const client = await RawClient.connect(proxy.port);
  await client.command(forged, forged);
  await client.command('AUTH', 'wrong-guess');
  await client.command('HELLO', '3', 'AUTH', forged, 'wrong-guess', 'SETNAME', forged);
  await client.command('AUTH', 'secret-of-clients');
  await client.command('CLIENT', 'SETNAME', forged);
  await client.command('SET', forged);
  await client.command('EVAL', forged, '0');
  await client.command('GET', `__ringproxy__${forged}`);
  const reply = await client.text('PING');
  expect(reply).toBe('+PONG\r\n');
  client.close();
  await proxy.stop();
  for (const line of proxy.child.stderr.filter((text) => text !== '')) {
    const said: unknown = JSON.parse(line);
    expect(said).toMatchObject({ time: expect.any(String) });
    expect(said).not.toMatchObject({ msg: 'forged' });
    expect(line).not.toMatch(/wrong-guess|secret-of-clients/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
    expect(line).not.toMatch(/[\u0000-\u001f]/);
  }
});

it('get one reply for each command, whatever stands in it', async () => {
  const proxy = await start();
  const client = await RawClient.connect(proxy.port);
  const split = 'x\r\n+OK\r\n$3\r\nabc';
  const replies = await client.pipeline([
    [split],
    ['PING', split, split],
    ['AUTH', split],
    ['AUTH', 'secret-of-clients'],
    [split],
    ['CLIENT', split],
    ['CONFIG', 'GET', split],
    ['SET', split],
    ['PING'],
  ]);
  expect(replies.map((reply) => reply.toString('latin1').split('\r\n').length)).toEqual(
    [2, 2, 2, 2, 2, 2, 2, 2, 2].map((lines, i) => (i === 6 ? expect.any(Number) : lines)),
  );
  expect(String(replies.at(-1))).toBe('+PONG\r\n');
});
