/** Clients and nodes that do not read, huge values, huge pipelines, thousands of idle clients: memory stays bounded. */
import { beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../src/resp/encode.js';
import { megabytes } from '../support/process-memory.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, SMALL_HEAP, startRingproxy } from '../support/ringproxy-process.js';

const MB = 1024 * 1024;

let nodes: RedisProcess[];

beforeAll(async () => {
  nodes = await startRedises(3);
});

/** Waits until the proxy has read something, and reads nothing more: for 20 looks. */
async function untilNothingIsRead(proxy: RingproxyProcess): Promise<void> {
  let [before, looks] = ['0', 0];
  const look = async (): Promise<number> => {
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    const read = /^ringproxy_client_bytes_total\{direction="in"\} (\S+)/m.exec(metrics)?.[1] ?? '0';
    looks = read === before && read !== '0' ? looks + 1 : 0;
    before = read;
    return looks;
  };
  await expect.poll(look, { interval: 20 }).toBe(20);
}

/** Runs commands of its own until `done`; @returns the longest that one of them took, in milliseconds. */
async function longestWait(proxy: RingproxyProcess, done: Promise<unknown>): Promise<number> {
  const client = await RawClient.connect(proxy.port);
  let running = true;
  void done.then(() => {
    running = false;
  });
  let longest = 0;
  for (let i = 0; running; i++) {
    const start = performance.now();
    await client.pipeline(Array.from({ length: 8 }, (_, k) => ['SET', `other:${k}`, String(i)]));
    longest = Math.max(longest, performance.now() - start);
  }
  client.close();
  return longest;
}

/** How long this machine takes to carry these replies from the node that has the key to a client that reads. Milliseconds. */
async function carryTime(requests: Buffer, bytes: number): Promise<number> {
  const has = await Promise.all(
    nodes.map(async (node) => (await (await RawClient.connect(node.port)).text('EXISTS', 'huge')) === ':1\r\n'),
  );
  const client = await RawClient.connect(nodes[has.indexOf(true)]?.port ?? 0);
  const start = performance.now();
  let received = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  client.send(requests);
  while (received < bytes) await new Promise((resolve) => client.socket.once('data', resolve));
  client.close();
  return performance.now() - start;
}

describe('a value of 100 MB', () => {
  it('raises the memory by at most 32 MB, however often it is asked for', { timeout: 120_000 }, async () => {
    const proxy = await startRingproxy({ nodes, env: SMALL_HEAP });
    const client = await RawClient.connect(proxy.port);
    // What the process needs once, whatever it carries, is not the value's.
    await client.pipeline(Array.from({ length: 2000 }, (_, i) => ['SET', `warm:${i}`, 'x'.repeat(5000)]));
    const before = megabytes(proxy.pid, 'now');
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    const until = async (bytes: number): Promise<void> => {
      while (received < bytes) await new Promise((resolve) => client.socket.once('data', resolve));
    };
    client.send(request(['SET', 'huge', Buffer.alloc(100 * MB, 'x')]));
    await until(5);
    for (let i = 0; i < 4; i++) client.send(request(['GET', 'huge']));
    await until(5 + 4 * (100 * MB + 14));
    expect(megabytes(proxy.pid, 'peak') - before).toBeLessThan(32);
  });

  it('for a client that does not read does not hold up the others for long', { timeout: 120_000 }, async () => {
    const proxy = await startRingproxy({ nodes });
    const writer = await RawClient.connect(proxy.port);
    await writer.command('SET', 'huge', Buffer.alloc(100 * MB, 'x'));
    const before = megabytes(proxy.pid, 'now');
    const stuck = await RawClient.connect(proxy.port);
    await stuck.command('CLIENT', 'SETNAME', 'stuck');
    stuck.socket.pause();
    const fiveReplies = Buffer.concat(Array.from({ length: 5 }, () => Buffer.from(request(['GET', 'huge']))));
    const direct = await carryTime(fiveReplies, 5 * (100 * MB + 14));
    let cut = (): void => {};
    const observed = longestWait(proxy, new Promise<void>((resolve) => (cut = resolve)));
    stuck.send(fiveReplies);
    const others = await RawClient.connect(proxy.port);
    const isConnected = async (): Promise<boolean> => (await others.text('CLIENT', 'LIST')).includes('name=stuck');
    await expect.poll(isConnected, { timeout: 60_000 }).toBe(false);
    cut();
    // Those that were sent behind the five on the same connection wait until they have been read from the node.
    expect(await observed).toBeLessThan(1000 + 4 * direct);
    expect(megabytes(proxy.pid, 'now') - before).toBeLessThan(100);
    stuck.close();
  });
});

describe('a pipeline of a million commands', () => {
  const COUNT = 1_000_000;

  it('is answered whole and in order', { timeout: 120_000 }, async () => {
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    await client.command('SET', 'counter', '0');
    let tail = Buffer.alloc(0);
    let lines = 0;
    client.socket.removeAllListeners('data');
    const all = new Promise<void>((resolve) => {
      client.socket.on('data', (chunk: Buffer) => {
        for (const byte of chunk) if (byte === 0x0a) lines++;
        tail = Buffer.concat([tail.subarray(-20), chunk.subarray(-20)]);
        if (lines === COUNT) resolve();
      });
    });
    const block = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from(request(['INCR', 'counter']))));
    for (let i = 0; i < COUNT / 10_000; i++) client.send(block);
    await all;
    expect(tail.toString()).toMatch(/:1000000\r\n$/);
    expect(megabytes(proxy.pid, 'peak')).toBeLessThan(300);
  });

  it('of a client that reads only when it has written everything is answered, too', { timeout: 120_000 }, async () => {
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    client.socket.pause();
    const block = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from(request(['SET', 'same', 'v']))));
    for (let i = 0; i < COUNT / 10_000 - 1; i++) client.socket.write(block);
    await new Promise<void>((resolve) => client.socket.write(block, () => resolve()));
    const replies = client.replies(COUNT);
    client.socket.resume();
    expect((await replies).every((reply) => reply.equals(Buffer.from('+OK\r\n')))).toBe(true);
    expect(megabytes(proxy.pid, 'peak')).toBeLessThan(400);
  });
});

describe('many clients', () => {
  it('10,000 idle ones take less than 250 MB in all', { timeout: 120_000 }, async () => {
    const proxy = await startRingproxy({ nodes, config: 'max-clients: 20000\n' });
    const clients: RawClient[] = [];
    for (let i = 0; i < 50; i++) {
      clients.push(...(await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(proxy.port)))));
    }
    await Promise.all(clients.map((client) => client.command('PING')));
    expect(megabytes(proxy.pid, 'now')).toBeLessThan(250);
    for (const client of clients) client.close();
  });
});

describe('a node that does not read', () => {
  it('pauses those who write to it, and loses nothing', { timeout: 120_000 }, async () => {
    const proxy = await startRingproxy({
      nodes: nodes.slice(0, 1),
      config: 'node-max-pending-bytes: 1mb\nrequest-timeout: 1m\n',
    });
    const client = await RawClient.connect(proxy.port);
    await client.command('DEL', 'list');
    nodes[0]?.kill('SIGSTOP');
    const payload = 'x'.repeat(1000);
    const replies = client.replies(60_000);
    client.send(
      Buffer.concat(
        Array.from({ length: 60_000 }, (_, i) => Buffer.from(request(['RPUSH', 'list', `${i}:${payload}`]))),
      ),
    );
    await untilNothingIsRead(proxy);
    const held = megabytes(proxy.pid, 'now');
    nodes[0]?.kill('SIGCONT');
    expect((await replies).map(String)).toEqual(Array.from({ length: 60_000 }, (_, i) => `:${i + 1}\r\n`));
    expect(held).toBeLessThan(200);
    await client.command('DEL', 'list');
  });
});
