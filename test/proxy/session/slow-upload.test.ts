/** Clients that send large values slowly, or not to their end: that is theirs alone, and no fault of a node. */
import net from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../../src/resp/encode.js';
import { atEnd } from '../../support/cleanup.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

const VALUE = Buffer.alloc(1_048_576, 'x');
const OK = '+OK\r\n';

let nodes: RedisProcess[];

beforeAll(async () => {
  nodes = await startRedises(3);
});

/** Sends a SET of 1 MB in 16 pieces, `pause` milliseconds apart. @returns its reply */
async function setSlowly(proxy: RingproxyProcess, key: string, pause: number): Promise<string> {
  const client = await RawClient.connect(proxy.port);
  const frame = Buffer.from(request(['SET', key, VALUE]));
  const size = Math.ceil(frame.length / 16);
  const reply = client.replies(1);
  for (let at = 0; at < frame.length; at += size) {
    client.send(frame.subarray(at, at + size));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  const text = String((await reply)[0]);
  client.close();
  return text;
}

/** The beginning of a SET of 1 MB. */
async function beginSet(proxy: RingproxyProcess, key: string): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  client.send(Buffer.from(request(['SET', key, VALUE])).subarray(0, 300_000));
  return client;
}

/** Reads and writes many keys until `done`. @returns how many replies were errors, and how many there were */
async function useUntil(proxy: RingproxyProcess, done: Promise<unknown>): Promise<{ errors: number; replies: number }> {
  const client = await RawClient.connect(proxy.port);
  let running = true;
  const stop = (): void => {
    running = false;
  };
  void done.then(stop, stop);
  const seen = { errors: 0, replies: 0 };
  for (let i = 0; running; i++) {
    const replies = await client.pipeline([
      ['SET', `fast:${i % 1000}`, String(i)],
      ['GET', `fast:${i % 1000}`],
    ]);
    seen.replies += replies.length;
    seen.errors += replies.filter((reply) => reply[0] === 0x2d).length;
  }
  client.close();
  return seen;
}

function downEvents(proxy: RingproxyProcess): number {
  return proxy.log.filter(({ event }) => event === 'ringproxy:upstream:down').length;
}

/** A network that carries so many bytes a second to the node. @returns the address that stands for the node */
async function startNarrowRelay(port: number, bytesPerSecond: number): Promise<string> {
  const server = net.createServer((client) => {
    const node = net.connect({ port, host: '127.0.0.1' });
    client.on('data', (chunk: Buffer) => {
      node.write(chunk);
      client.pause();
      setTimeout(() => client.resume(), (chunk.length / bytesPerSecond) * 1000);
    });
    node.pipe(client);
    client.on('error', () => {}).on('close', () => node.destroy());
    node.on('error', () => {}).on('close', () => client.destroy());
    atEnd(() => {
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

// Symptom: a SET of 1 MB at 100 KB/s was answered -NODEDOWN after 5 s, its node counted as down, and others got errors.
// Cause: the time of a command that was passed on as it came began with its first byte.
describe('a large value that comes more slowly than request-timeout', () => {
  it.each([
    [20, 1],
    [200, 1],
    [40, 2],
  ])(
    'from %d clients at a time, with %d processes, is set, and others notice nothing',
    async (count, workers) => {
      const proxy = await startRingproxy({
        nodes,
        args: ['--workers', String(workers)],
        config: 'request-timeout: 500ms\n',
      });
      const slow = Promise.all(Array.from({ length: count }, (_, i) => setSlowly(proxy, `slow:${i % 30}`, 120)));
      const fast = await useUntil(proxy, slow);
      expect(new Set(await slow)).toEqual(new Set([OK]));
      expect(fast.errors).toBe(0);
      expect(fast.replies).toBeGreaterThan(100);
      expect(downEvents(proxy)).toBe(0);
      const client = await RawClient.connect(proxy.port);
      expect(await client.text('STRLEN', 'slow:0')).toBe(`:${VALUE.length}\r\n`);
    },
    60_000,
  );
});

describe('a client that does not send its large value to the end', () => {
  it('is told so and closed after client-stall-timeout, and nobody else notices', async () => {
    const proxy = await startRingproxy({ nodes, config: 'client-stall-timeout: 1s\nrequest-timeout: 300ms\n' });
    const stuck = await Promise.all(Array.from({ length: 20 }, (_, i) => beginSet(proxy, `stuck:${i}`)));
    const told = Promise.all(stuck.map(async (client) => String((await client.replies(1))[0])));
    const fast = await useUntil(proxy, told);
    expect(new Set(await told)).toEqual(
      new Set(['-ERR nothing more of the request came for 1000 ms (client-stall-timeout)\r\n']),
    );
    await Promise.all(stuck.map((client) => client.closed));
    expect(fast.errors).toBe(0);
    expect(downEvents(proxy)).toBe(0);
    const client = await RawClient.connect(proxy.port);
    expect(await client.text('EXISTS', ...stuck.map((_, i) => `stuck:${i}`))).toBe(':0\r\n');
  });

  it('is told so and closed after client-upload-timeout when it sends a byte now and then', async () => {
    const proxy = await startRingproxy({ nodes, config: 'client-upload-timeout: 1s\n' });
    const client = await beginSet(proxy, 'trickle');
    const trickle = setInterval(() => client.send('x'), 50);
    atEnd(() => clearInterval(trickle));
    expect(String((await client.replies(1))[0])).toBe(
      '-ERR the value did not come within 1000 ms (client-upload-timeout)\r\n',
    );
    await client.closed;
    expect(downEvents(proxy)).toBe(0);
  });

  it('is told so and closed, too, where the request is gathered', async () => {
    const proxy = await startRingproxy({ nodes, config: 'client-stall-timeout: 1s\n' });
    const client = await RawClient.connect(proxy.port);
    client.send(Buffer.from(request(['MSET', 'a', VALUE, 'b', VALUE])).subarray(0, 1_500_000));
    expect(String((await client.replies(1))[0])).toBe(
      '-ERR nothing more of the request came for 1000 ms (client-stall-timeout)\r\n',
    );
    await client.closed;
  });

  it('is answered and closed when what follows is malformed', async () => {
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    client.send(Buffer.concat([Buffer.from('*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n'), VALUE.subarray(0, 300_000)]));
    client.send('\r\n$x\r\n');
    expect(String((await client.replies(1))[0])).toBe('-ERR Protocol error: invalid bulk length\r\n');
    await client.closed;
    expect(downEvents(proxy)).toBe(0);
  });
});

// Symptom: WATCH was answered -TRYAGAIN. Cause: whoever had once sent a large value kept a private lane for good, and
// large values might use all of them.
describe('the private lanes of a node', () => {
  const config = 'node-private-connections: 8\nrequest-timeout: 500ms\nclient-stall-timeout: 1m\n';

  it('are left to those who watch, while many clients send large values slowly', async () => {
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), config });
    const stuck = await Promise.all(Array.from({ length: 40 }, () => beginSet(proxy, 'stuck')));
    const client = await RawClient.connect(proxy.port);
    expect(await client.text('SET', 'large', VALUE)).toBe(OK);
    const replies = await client.pipeline([['WATCH', 'w'], ['MULTI'], ['SET', 'w', '1'], ['EXEC']]);
    expect(replies.map(String)).toEqual([OK, OK, '+QUEUED\r\n', `*1\r\n${OK}`]);
    for (const one of stuck) one.send(Buffer.from(request(['SET', 'stuck', VALUE])).subarray(300_000));
    const ends = await Promise.all(stuck.map(async (one) => String((await one.replies(1))[0])));
    expect(new Set(ends)).toEqual(new Set([OK]));
    expect(downEvents(proxy)).toBe(0);
  });

  it('are given back when a large value has been sent', async () => {
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), config });
    const senders = await Promise.all(Array.from({ length: 30 }, () => RawClient.connect(proxy.port)));
    for (const sender of senders) {
      expect(
        (
          await sender.pipeline([
            ['SET', 'large', VALUE],
            ['STRLEN', 'large'],
          ])
        ).map(String),
      ).toEqual([OK, `:${VALUE.length}\r\n`]);
    }
    const watching = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(proxy.port)));
    for (const client of watching) expect(await client.text('WATCH', 'w')).toBe(OK);
  });
});

describe('a node', () => {
  it('that stops in the middle of a large value counts as down', async () => {
    const node = await startRedis();
    const proxy = await startRingproxy({
      nodes: [node],
      config: 'request-timeout: 500ms\n',
      allowLog: [/upstream:down/, /node:health/],
    });
    const client = await RawClient.connect(proxy.port);
    const frame = Buffer.from(request(['SET', 'k', Buffer.alloc(50_000_000, 'x')]));
    client.send(frame.subarray(0, 300_000));
    await expect.poll(async () => (await node.client().client('LIST')) as string).toMatch(/cmd=NULL|qbuf=[1-9]\d{4}/);
    node.kill('SIGSTOP');
    client.send(frame.subarray(300_000));
    expect(String((await client.replies(1))[0])).toMatch(/^-NODEDOWN node node1 .*did not answer within 500 ms/);
    node.kill('SIGCONT');
  });

  // Symptom: -NODEDOWN for a large request. Cause: its time began when it was whole here, and not at its node.
  it('behind a slow network is waited for until it has been sent a request of many large values', async () => {
    const [node] = nodes as [RedisProcess];
    const address = await startNarrowRelay(node.port, 15_000_000);
    const proxy = await startRingproxy({ nodes: [`node1=${address}`], config: 'request-timeout: 1s\n' });
    const client = await RawClient.connect(proxy.port);
    const words = Array.from({ length: 20 }, (_, i) => [`wide:${i}`, Buffer.alloc(3_000_000, 'x')]).flat();
    expect(await client.text('MSET', ...words)).toBe(OK);
    expect(downEvents(proxy)).toBe(0);
  }, 30_000);
});
