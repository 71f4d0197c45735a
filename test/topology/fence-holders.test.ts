/**
 * Nobody holds up a ring change for long: commands on keys that stay are not waited for, and who neither reads nor sends
 * is ended.
 *
 * Symptom: one client that did not read a GET of 60 MB, or left a SET unfinished, or a script that looped, and every
 * `ring add` ended with FENCE_TIMEOUT. Cause: the fence waited until everything that was in flight was answered.
 */
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { request } from '../../src/resp/encode.js';
import { atEnd } from '../support/cleanup.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const LARGE = 60_000_000;
const MODES = [
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const;

interface Stage {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly RedisProcess[];
  readonly joining: RedisProcess;
  /** Keys of the first node that move to the one that joins. */
  readonly moving: readonly string[];
  /** Keys of the first node that stay there. */
  readonly staying: readonly string[];
}

async function stage(args: readonly string[], allowLog: readonly RegExp[] = [], config = ''): Promise<Stage> {
  const [first, second, joining] = (await startRedises(3)) as [RedisProcess, RedisProcess, RedisProcess];
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
  const afterwards = await startRingproxy({ nodes: [first, second, joining], allowLog: [/does not own/] });
  const after = await ownersOf(afterwards, keys);
  await afterwards.stop();
  const settings = `request-timeout: 60s\n${config}`;
  const proxy = await startRingproxy({ nodes: [first, second], args, allowLog, config: settings });
  const before = await ownersOf(proxy, keys);
  const of = (owner: string): string[] => keys.filter((_, i) => before[i] === first.address && after[i] === owner);
  await fill(proxy, 2000);
  const [moving, staying] = [of(joining.address), of(first.address)];
  expect(Math.min(moving.length, staying.length)).toBeGreaterThan(5);
  return { proxy, nodes: [first, second], joining, moving, staying };
}

const stuck = new Set<RedisProcess>();
afterEach(async () => {
  // A script that has written ends with its node only.
  for (const node of stuck) node.kill('SIGKILL');
  stuck.clear();
});

/** A client that has asked for a value, and reads nothing of it. */
async function unreadReply(proxy: RingproxyProcess, key: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  await client.command('CLIENT', 'SETNAME', 'deaf');
  await client.command('SET', key, Buffer.alloc(LARGE, 'x'));
  client.socket.pause();
  client.send(request(['GET', key]));
  return client;
}

/** A client that has sent most of a large value. */
async function unfinishedUpload(proxy: RingproxyProcess, key: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  await client.command('CLIENT', 'SETNAME', 'silent');
  client.send(Buffer.concat([request(['SET', key, Buffer.alloc(LARGE, 'x')]).subarray(0, LARGE / 2)]));
  return client;
}

/** Waits until the nodes have something in flight. */
async function untilInFlight(proxy: RingproxyProcess): Promise<void> {
  await expect
    .poll(
      async () => (await (await fetch(`${proxy.admin}/metrics`)).text()).match(/^ringproxy_node_inflight\S* [1-9]/m),
      {
        timeout: 10_000,
      },
    )
    .not.toBeNull();
}

/** A fence that stands for too long is taken down: then this throws FENCE_TIMEOUT. */
async function join({ proxy, joining }: Stage): Promise<void> {
  await post(proxy, 'changes', add('joining', joining));
}

describe.each(MODES)('on a key that stays (%s)', (_title, args) => {
  it.each([
    ['a reply that is not read', unreadReply],
    ['a value that is not sent', unfinishedUpload],
  ] as const)('%s is not waited for', async (_what, begin) => {
    const set = await stage(args);
    const client = await begin(set.proxy, set.staying[0] ?? '');
    await untilInFlight(set.proxy);
    await join(set);
    await settled(set.proxy);
    expect(client.socket.destroyed).toBe(false);
    // Whoever is waited for is ended, and that is told.
    expect(set.proxy.log.some(({ msg }) => /held up/.test(msg))).toBe(false);
  });
});

describe.each(MODES)('on a key that moves (%s)', (_title, args) => {
  it.each([
    ['does not read its reply', unreadReply, /get of client \d+ \(127\.0\.0\.1:\d+, deaf\) to node1 .* was closed/],
    [
      'does not send its value',
      unfinishedUpload,
      /set of client \d+ \(127\.0\.0\.1:\d+, silent\) to node1 .* was closed/,
    ],
  ] as const)('who %s is closed, by name in the log', async (_what, begin, said) => {
    const set = await stage(args, [said]);
    const key = set.moving[0] ?? '';
    const client = await begin(set.proxy, key);
    await untilInFlight(set.proxy);
    const held = await RawClient.connect(set.proxy.port);
    const joined = join(set);
    await expect.poll(async () => (await ringOf(set.proxy)).phase).not.toBe('stable');
    await held.command('SET', key, 'written since');
    await joined;
    client.socket.resume();
    await client.closed;
    await settled(set.proxy);
    expect(set.proxy.log.filter(({ msg }) => said.test(msg))).toHaveLength(1);
    expect(await held.text('GET', key)).toBe('$13\r\nwritten since\r\n');
  });
});

/** A script that runs for ever, on a node that says soon that it is busy. */
async function loop(set: Stage, body: string, keys: readonly string[], threshold = '50'): Promise<RawClient> {
  await set.nodes[0]?.client().config('SET', 'busy-reply-threshold', threshold);
  const client = await RawClient.connect(set.proxy.port);
  await client.command('CLIENT', 'SETNAME', 'looping');
  client.send(request(['EVAL', `${body} while true do end`, String(keys.length), ...keys]));
  return client;
}

/** Asked past the proxy: what is sent behind a script that has just begun waits for its end. */
async function untilBusy({ nodes }: Stage): Promise<void> {
  const client = await RawClient.connect(nodes[0]?.port ?? 0);
  await expect.poll(async () => client.text('PING'), { timeout: 10_000 }).toContain('-BUSY');
}

describe.each(MODES)('a script that loops (%s)', (_title, args) => {
  it('on a key that moves is ended, and named', async () => {
    const said = /eval of client \d+ \(127\.0\.0\.1:\d+, looping\) to node1 .* script was ended/;
    const set = await stage(args, [said]);
    const client = await loop(set, '', [set.moving[0] ?? '']);
    await untilBusy(set);
    await join(set);
    const [reply] = await client.replies(1);
    expect(String(reply)).toMatch(/^-ERR .*killed/i);
    await settled(set.proxy);
    expect(set.proxy.log.filter(({ msg }) => said.test(msg))).toHaveLength(1);
  });

  it('and has written cannot be ended: the change is given up with its name, and keys are not held', async () => {
    const set = await stage(args);
    const [key, other] = set.moving as [string, string];
    stuck.add(set.nodes[0] as RedisProcess);
    set.proxy.allowLog(/upstream|node:health/);
    await loop(set, `redis.call('SET', KEYS[1], 'x')`, [key]);
    await untilBusy(set);
    await expect(join(set)).rejects.toThrow(
      /FENCE_TIMEOUT.*node1 \(127\.0\.0\.1:\d+\): eval of client \d+ \(127\.0\.0\.1:\d+, looping\) has written/,
    );
    expect(await ringOf(set.proxy)).toMatchObject({ phase: 'stable', change: null });
    const asker = await RawClient.connect(set.proxy.port);
    // Not held: the node says itself that it is busy.
    expect(await asker.text('GET', other)).toContain('-BUSY');
  });

  it('and does not let itself be ended yet is named', async () => {
    // The node is asked a lot before the fence, and answers nothing of it.
    const set = await stage(args, [], 'connect-timeout: 500ms\nprobe-timeout: 500ms\n');
    stuck.add(set.nodes[0] as RedisProcess);
    set.proxy.allowLog(/upstream|node:health/);
    await loop(set, '', [set.moving[0] ?? ''], '60000');
    await untilInFlight(set.proxy);
    await expect(join(set)).rejects.toThrow(
      /FENCE_TIMEOUT.*node1 .*: eval of client \d+ \(127\.0\.0\.1:\d+, looping\) runs there/,
    );
    expect(await ringOf(set.proxy)).toMatchObject({ phase: 'stable', change: null });
  });
});

/** A network that brings at most 64 KB in 20 ms from the node. */
async function startNarrowRelay(port: number): Promise<string> {
  const server = net.createServer((proxy) => {
    const node = net.connect({ port, host: '127.0.0.1', noDelay: true });
    proxy.on('data', (chunk) => node.write(chunk));
    node.on('data', (chunk) => {
      proxy.write(chunk);
      if (chunk.length < 32_768) return;
      node.pause();
      setTimeout(() => node.resume(), 20);
    });
    for (const [from, to] of [
      [proxy, node],
      [node, proxy],
    ] as const) {
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

it('a reply that comes too slowly is cut, and the node has dropped its connection before keys move', async () => {
  const [first, joining] = (await startRedises(2)) as [RedisProcess, RedisProcess];
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  const afterwards = await startRingproxy({ nodes: [first, joining], allowLog: [/does not own/] });
  const key = keys[(await ownersOf(afterwards, keys)).indexOf(joining.address)] ?? '';
  await afterwards.stop();
  const proxy = await startRingproxy({
    nodes: [`node1=${await startNarrowRelay(first.port)}`],
    config: 'request-timeout: 60s\n',
    allowLog: [/get of client .* was closed/],
  });
  await first.client().set(key, Buffer.alloc(LARGE, 'x'));
  const reader = await RawClient.connect(proxy.port);
  reader.socket.resume();
  reader.send(request(['GET', key]));
  await untilInFlight(proxy);
  const sending = /addr=(\S+) .* omem=[1-9]\d{6}/.exec(String(await first.client().client('LIST')))?.[1];
  expect(sending).toBeDefined();
  await post(proxy, 'changes', add('node2', joining));
  expect(String(await first.client().client('LIST'))).not.toContain(`addr=${sending} `);
  await reader.closed;
});
