/**
 * SCAN over several nodes in one call.
 *
 * Symptom: SCAN over a nearly empty cache took as many calls as there are nodes, and clients' tests expect one.
 * Cause: a call asked one node, however few keys that had.
 */
import { describe, expect, it } from 'vitest';
import { decodeReply } from '../../../../src/resp/decode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';

const NODE_TROUBLE = [/upstream:down/, /node:health/];

interface Stage {
  readonly nodes: RedisProcess[];
  readonly proxy: RingproxyProcess;
  readonly client: RawClient;
}

async function start(count: number, keys: number, workers = 1): Promise<Stage> {
  const nodes = await startRedises(count);
  const proxy = await startRingproxy({ nodes, args: ['--workers', String(workers)], allowLog: NODE_TROUBLE });
  const client = await RawClient.connect(proxy.port);
  const names = Array.from({ length: keys }, (_, i) => `k:${i}`);
  if (keys > 0) await client.command('MSET', ...names.flatMap((name) => [name, 'x']));
  return { nodes, proxy, client };
}

function parse(reply: Buffer): { cursor: string; keys: string[] } {
  const value = decodeReply(reply)?.value;
  if (!Array.isArray(value) || !Array.isArray(value[1])) throw new Error(String(reply));
  return { cursor: String(value[0]), keys: value[1].map(String) };
}

async function walk(client: RawClient, ...options: string[]): Promise<{ calls: number; keys: string[] }> {
  const keys: string[] = [];
  for (let cursor = '0', calls = 1; ; calls++) {
    const step = parse(await client.command('SCAN', cursor, ...options));
    keys.push(...step.keys);
    cursor = step.cursor;
    if (cursor === '0') return { calls, keys };
  }
}

/** A call ends after 50 ms as well, which it may well take while the machine has others to do: then once more. */
async function walkInOneCall(client: RawClient, ...options: string[]): Promise<string[]> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { calls, keys } = await walk(client, ...options);
    if (calls === 1) return keys.sort();
  }
  throw new Error('it never took one call');
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `k:${i}`).sort();

describe.each([
  [3, 1],
  [3, 2],
  [10, 1],
])('%s nodes, workers: %s', (count, workers) => {
  it('a small cache ends in one call', async () => {
    const { client } = await start(count, 5, workers);
    expect(await walkInOneCall(client)).toEqual(names(5));
    expect(await walkInOneCall(client, 'COUNT', '100', 'MATCH', 'k:[12]')).toEqual(['k:1', 'k:2']);
    expect(await walkInOneCall(client, 'COUNT', '100', 'match', 'no such')).toEqual([]);
    expect(await walkInOneCall(client, 'TYPE', 'string', 'COUNT', '100')).toEqual(names(5));
    expect((await walk(client, 'TYPE', 'list', 'COUNT', '100')).keys).toEqual([]);
    await client.command('HELLO', '3');
    expect((await walk(client)).keys).toHaveLength(5);
    await client.command('FLUSHALL');
    expect(await walkInOneCall(client)).toEqual([]);
  });
});

it('COUNT bounds the keys that a call looks at, whether they match or not', async () => {
  const { client } = await start(3, 3000);
  const all = await walk(client, 'COUNT', '100');
  expect(all.keys.sort()).toEqual(names(3000));
  expect(all.calls).toBeGreaterThanOrEqual(25);
  expect(all.calls).toBeLessThanOrEqual(45);
  for (const filter of [
    ['MATCH', 'no such'],
    ['TYPE', 'list'],
  ]) {
    const { calls, keys } = await walk(client, 'COUNT', '100', ...filter);
    expect(keys).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(25);
  }
  // Nodes that are smaller than COUNT, together larger: their keys count, though none matches.
  expect((await walk(client, 'COUNT', '1500', 'MATCH', 'no such')).calls).toBeGreaterThanOrEqual(2);
  expect(await walkInOneCall(client, 'COUNT', '5000', 'MATCH', 'no such')).toEqual([]);
});

it('a cursor that is none, and options that are wrong, are answered as by a node', async () => {
  const { client, nodes } = await start(3, 5);
  const bare = await RawClient.connect(nodes[0]?.port ?? 0);
  for (const words of [['x'], ['-1'], ['0', 'COUNT'], ['0', 'COUNT', '0'], ['0', 'COUNT', 'x'], ['0', 'NO', '1']]) {
    expect(await client.text('SCAN', ...words)).toBe(await bare.text('SCAN', ...words));
  }
});

it('what a client sends behind it runs behind it, on every node', async () => {
  const { client } = await start(3, 0);
  const fill = ['MSET', ...names(5).flatMap((name) => [name, 'x'])];
  const scanFirst = async (): Promise<unknown> => {
    const [, scan] = await client.pipeline([fill, ['SCAN', '0'], ['FLUSHALL']]);
    const { cursor, keys } = parse(scan ?? Buffer.alloc(0));
    return { cursor, keys: keys.sort() };
  };
  // See `walkInOneCall`.
  await expect.poll(scanFirst).toEqual({ cursor: '0', keys: names(5) });
  expect(await walkInOneCall(client)).toEqual([]);
});

it('ends in front of a node that is down, and says so when it is its turn', async () => {
  const { client, nodes, proxy } = await start(3, 9);
  await nodes[1]?.stop();
  await proxy.logged(/upstream:down/);
  const owners = await ownersOf(proxy, names(9));
  const { cursor, keys } = parse(await client.command('SCAN', '0', 'COUNT', '100'));
  expect(keys.sort()).toEqual(names(9).filter((_, i) => owners[i] === nodes[0]?.address));
  expect(cursor).not.toBe('0');
  expect(await client.text('SCAN', cursor, 'COUNT', '100')).toMatch(/^-NODEDOWN node node2 /);
  await nodes[1]?.start();
  await proxy.logged(/upstream:up/);
  const goOn = async (): Promise<string> => parse(await client.command('SCAN', cursor, 'COUNT', '100')).cursor;
  await expect.poll(goOn).toBe('0');
});

it('a client that leaves in the middle of it does no harm', async () => {
  const { client, nodes, proxy } = await start(3, 9);
  nodes[2]?.kill('SIGSTOP');
  const gone = await RawClient.connect(proxy.port);
  gone.send('SCAN 0 COUNT 100\r\n');
  gone.close();
  nodes[2]?.kill('SIGCONT');
  expect((await walk(client, 'COUNT', '100')).keys.sort()).toEqual(names(9));
});
