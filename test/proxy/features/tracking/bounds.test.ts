/**
 * Symptom: memory grew with clients that track and come and go; 20,000 prefixes of one client stopped everybody for
 * seconds. Causes: a key that many read and nobody changes kept all who had ever read it; nodes were asked for every
 * prefix that any client ever had; each change was compared with each prefix, and each prefix with each other one.
 */
import { describe, expect, it } from 'vitest';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

async function start() {
  const nodes = await startRedises(2);
  return { nodes, proxy: await startRingproxy({ nodes }) };
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.command('HELLO', '3');
  return client;
}

function track(prefixes: readonly string[]): string[] {
  return ['CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes.flatMap((prefix) => ['PREFIX', prefix])];
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}:${i}:`);
}

/** A field of INFO. */
async function figure(client: RawClient, name: string): Promise<number> {
  return Number(new RegExp(`${name}:(\\d+)`).exec(await client.text('INFO', 'stats'))?.[1]);
}

describe('prefixes', () => {
  it('of one client are bounded, as are their bytes', async () => {
    const { proxy } = await start();
    const client = await connect(proxy.port);
    const refused = /^-ERR too many prefixes: a client may have 10000, of 1048576 bytes together\r\n$/;
    expect(await client.text(...track(numbered('p', 10_001)))).toMatch(refused);
    expect(await client.text(...track([`a${'x'.repeat(600_000)}`, `b${'x'.repeat(600_000)}`]))).toMatch(refused);
    expect(await client.text(...track(numbered('p', 9_999)))).toBe('+OK\r\n');
    // They add up.
    expect(await client.text(...track(['q:', 'r:']))).toMatch(refused);
    expect(await client.text(...track(['q:']))).toBe('+OK\r\n');
  });

  it('of all clients together are bounded', { timeout: 60_000 }, async () => {
    const { proxy } = await start();
    const clients = await Promise.all(Array.from({ length: 11 }, () => connect(proxy.port)));
    for (const [i, client] of clients.entries()) {
      const reply = await client.text(...track(numbered(`p${i}`, 9_500)));
      expect(reply).toMatch(i < 10 ? /^\+OK/ : /^-ERR too many prefixes: all clients together may have 100000/);
    }
    clients[0]?.close();
    const last = clients.at(-1) as RawClient;
    await expect.poll(() => last.text(...track(numbered('p10', 9_500)))).toBe('+OK\r\n');
  });

  it('in great numbers are told of changes of their keys alone, and do not hold up others', {
    timeout: 60_000,
  }, async () => {
    const { nodes, proxy } = await start();
    const tracker = await connect(proxy.port);
    const writer = await connect(proxy.port);
    const asked = tracker.command(...track(numbered('p', 10_000)));
    const since = performance.now();
    await writer.command('PING');
    expect(performance.now() - since).toBeLessThan(1000);
    await asked;
    const told = tracker.replies(3);
    for (const key of ['p:77:x', 'other', 'p:10000:x', 'p:9999:y', 'p:5:']) await writer.command('SET', key, '1');
    const keys = (await told).map((message) => String(message).split('\r\n').at(-2));
    expect(keys.sort()).toEqual(['p:5:', 'p:77:x', 'p:9999:y']);
    // A node walks over all its prefixes with every write.
    for (const node of nodes) {
      const info = await node.client().info('stats');
      expect(Number(/tracking_total_prefixes:(\d+)/.exec(info)?.[1])).toBeLessThanOrEqual(1);
    }
    const writes = performance.now();
    await writer.pipeline(Array.from({ length: 5000 }, (_, i) => ['SET', `w:${i}`, '1']));
    expect(performance.now() - writes).toBeLessThan(5000);
  });

  it('of clients that come and go do not become more and more at the nodes', { timeout: 60_000 }, async () => {
    const { nodes, proxy } = await start();
    for (let round = 0; round < 6; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => connect(proxy.port)));
      await Promise.all(clients.map((client, i) => client.command(...track(numbered(`${round}.${i}`, 10)))));
      for (const client of clients) client.close();
    }
    for (const node of nodes) {
      const info = await node.client().info('stats');
      expect(Number(/tracking_total_prefixes:(\d+)/.exec(info)?.[1])).toBeLessThanOrEqual(1000);
    }
  });
});

it('a key that many read and nobody changes does not keep those who have left', { timeout: 60_000 }, async () => {
  const { proxy } = await start();
  const stays = await connect(proxy.port);
  await stays.pipeline([
    ['CLIENT', 'TRACKING', 'ON'],
    ['GET', 'shared'],
  ]);
  for (let round = 0; round < 15; round++) {
    const clients = await Promise.all(Array.from({ length: 100 }, () => connect(proxy.port)));
    await Promise.all(
      clients.map((client, i) =>
        client.pipeline([
          ['CLIENT', 'TRACKING', 'ON'],
          ['GET', 'shared'],
          ['GET', `own:${round}:${i}`],
        ]),
      ),
    );
    for (const client of clients) client.close();
  }
  const watcher = await RawClient.connect(proxy.port);
  await expect.poll(() => figure(watcher, 'tracking_total_items')).toBeLessThan(1100);
  // Whoever is still there is told.
  const told = stays.replies(1);
  await watcher.command('SET', 'shared', '1');
  expect(String((await told)[0])).toContain('shared');
});

it('a client that waits for a reply is told to forget everything when too much changes meanwhile', {
  timeout: 60_000,
}, async () => {
  const nodes = await startRedises(1);
  const proxy = await startRingproxy({ nodes });
  const writer = await RawClient.connect(proxy.port);
  const tracker = await connect(proxy.port);
  await writer.command('SET', 'large', Buffer.alloc(30_000_000));
  await tracker.command(...track(['p:']));
  const replies: Buffer[] = [];
  tracker.socket.pause();
  const done = tracker.replies(2).then((got) => replies.push(...got));
  tracker.send(request(['GET', 'large']));
  // The reply has begun to come, and is not taken.
  await expect.poll(() => writer.text('CLIENT', 'LIST')).toMatch(/cmd=get /);
  for (let i = 0; i < 25_000; i += 5000) {
    await writer.pipeline(Array.from({ length: 5000 }, (_, k) => ['SET', `p:${i + k}`, '1']));
  }
  tracker.socket.resume();
  await done;
  expect(replies[0]?.length).toBeGreaterThan(30_000_000);
  expect(String(replies[1])).toBe('>2\r\n$10\r\ninvalidate\r\n_\r\n');
});
