/** `deny-commands` and `rename-commands`, with a Redis that has the same by its own `rename-command` as the referee. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const LISTS = 'deny-commands: [KEYS, FLUSHALL]\nrename-commands: { SET: put, APPEND: "App.End-2", WATCH: look }\n';
const REFEREE = [
  'KEYS',
  'nobody-asks-1',
  'FLUSHALL',
  'nobody-asks-2',
  'SET',
  'put',
  'APPEND',
  'app.end-2',
  'WATCH',
  'look',
];

/** What is asked of both, one behind the other on one connection. */
const ASKED: readonly (readonly string[])[] = [
  ['SET', 'k', 'v'],
  ['PUT', 'k', 'v'],
  ['pUt', 'k', 'w', 'EX', '100'],
  ['GET', 'k'],
  ['APP.END-2', 'k', 'x'],
  ['APPEND', 'k', 'x'],
  ['put', 'k'],
  ['KEYS', '*'],
  ['keys', 'with', 'arguments', 'of its own'],
  ['FLUSHALL'],
  ['MULTI'],
  ['PUT', 'k', '1'],
  ['INCR', 'k'],
  ['EXEC'],
  ['MULTI'],
  ['INCR', 'k'],
  ['SET', 'k', '5'],
  ['EXEC'],
  ['MULTI'],
  ['FLUSHALL'],
  ['EXEC'],
  ['WATCH', 'k'],
  ['LOOK', 'k'],
  ['MULTI'],
  ['LOOK', 'k'],
  ['GET', 'k'],
  ['EXEC'],
  ['GET', 'k'],
];

async function answers(port: number): Promise<string[]> {
  const client = await RawClient.connect(port);
  const replies: string[] = [];
  for (const words of ASKED) replies.push(await client.text(...words));
  return replies;
}

describe.each([1, 2])('with %i workers', (workers) => {
  it('clients find what a Redis with these names answers', async () => {
    const args: string[] = [];
    for (let i = 0; i < REFEREE.length; i += 2) args.push('--rename-command', REFEREE[i] ?? '', REFEREE[i + 1] ?? '');
    const bare = await startRedis({ args });
    const proxy = await startRingproxy({
      nodes: await startRedises(2),
      config: LISTS,
      args: ['--workers', String(workers)],
    });
    const expected = await answers(bare.port);
    expect(await answers(proxy.port)).toEqual(expected);
    expect(expected.filter((reply) => reply.startsWith('-ERR unknown command')).length).toBeGreaterThan(6);
  });
});

async function start(lists: string): Promise<{ proxy: RingproxyProcess; write(text: string): Promise<void> }> {
  const file = join(tempFolder('lists'), 'ringproxy.yaml');
  writeFileSync(file, lists);
  const proxy = await startRingproxy({ nodes: await startRedises(2), args: ['-c', file, '--workers', '2'] });
  let reloads = 0;
  const write = async (text: string): Promise<void> => {
    writeFileSync(file, text);
    reloads++;
    proxy.kill('SIGHUP');
    await expect.poll(() => proxy.log.filter(({ msg }) => /was read again/.test(msg)).length).toBe(reloads);
  };
  return { proxy, write };
}

it('subcommands are denied apart', async () => {
  const { proxy } = await start('deny-commands: CLIENT|KILL config|get\nrename-commands: CONFIG=settings\n');
  const client = await RawClient.connect(proxy.port);
  expect(await client.text('CLIENT', 'KILL', 'ID', '1')).toMatch(/^-ERR unknown subcommand 'KILL'/);
  expect(await client.text('CLIENT', 'SETNAME', 'me')).toBe('+OK\r\n');
  expect(await client.text('CONFIG', 'GET', 'x')).toMatch(/^-ERR unknown command 'CONFIG'/);
  expect(await client.text('SETTINGS', 'GET', 'x')).toMatch(/^-ERR unknown subcommand 'GET'/);
  expect(await client.text('SETTINGS', 'SET', 'x', 'y')).toMatch(/^-ERR .*is not allowed through the proxy/);
});

it('large values reach their key under the other name as well, and not under the own one', async () => {
  const { proxy } = await start('rename-commands: SET=put\n');
  const client = await RawClient.connect(proxy.port);
  const value = 'x'.repeat(3_000_000);
  expect(await client.text('PUT', 'large', value)).toBe('+OK\r\n');
  expect(await client.text('STRLEN', 'large')).toBe(':3000000\r\n');
  expect(await client.text('SET', 'large', `${value}y`)).toMatch(/^-ERR unknown command 'SET'/);
  expect(await client.text('STRLEN', 'large')).toBe(':3000000\r\n');
});

it('change with the file, also for clients that are there', async () => {
  const { proxy, write } = await start('');
  const clients = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(proxy.port)));
  const ask = async (...words: string[]): Promise<Set<string>> => {
    const replies = await Promise.all(clients.map((client) => client.text(...words)));
    return new Set(replies.map((reply) => (reply.startsWith('-ERR unknown command') ? 'unknown' : reply)));
  };
  expect(await ask('DEL', 'k')).toEqual(new Set([':0\r\n']));
  await write('deny-commands: [DEL]\nrename-commands: { GET: fetch }\n');
  await expect.poll(() => ask('DEL', 'k')).toEqual(new Set(['unknown']));
  expect(await ask('GET', 'k')).toEqual(new Set(['unknown']));
  expect(await ask('FETCH', 'k')).toEqual(new Set(['$-1\r\n']));
  // What was queued before is carried out all the same.
  const [queueing] = clients;
  if (queueing === undefined) throw new Error('there are clients');
  await write('');
  await expect.poll(() => ask('DEL', 'k')).toEqual(new Set([':0\r\n']));
  await queueing.command('MULTI');
  expect(await queueing.text('DEL', 'k')).toBe('+QUEUED\r\n');
  await write('deny-commands: [DEL]\n');
  await expect.poll(() => clients[1]?.text('DEL', 'k')).toMatch(/unknown command/);
  expect(await queueing.text('EXEC')).toBe('*1\r\n:0\r\n');
  const said = JSON.stringify(proxy.log);
  expect(said).not.toContain('fetch');
});
