/** MGET of large values over several nodes: bytes, order, and what becomes of it when a node or the client goes away. */
import { once } from 'node:events';
import net from 'node:net';
import { beforeAll, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

const THRESHOLD = 262_144;
/** Around what is gathered whole, what is a block, and what a socket takes. */
const SIZES = [0, 1, 20_000, THRESHOLD - 40, THRESHOLD, 1_048_570, 1_048_576, 3_000_001];

let bare: RedisProcess;
let nodes: RedisProcess[];
let proxy: RingproxyProcess;
const keys = SIZES.flatMap((size) => [`${size}:a`, `${size}:b`, `missing:${size}`, `${size}:a`]);

beforeAll(async () => {
  [bare, nodes] = await Promise.all([startRedis(), startRedises(3)]);
  proxy = await startRingproxy({ nodes });
  for (const port of [bare.port, proxy.port]) {
    const client = await RawClient.connect(port);
    await client.pipeline(
      SIZES.flatMap((size) => ['a', 'b'].map((end) => ['SET', `${size}:${end}`, end.repeat(size)])),
    );
    await client.command('LPUSH', 'list', 'x');
    client.close();
  }
});

it.each(['2', '3'])(
  'is answered as one Redis does, alone and in the middle of a pipeline (RESP%s)',
  async (protocol) => {
    const pipeline = [
      ['MGET', ...keys],
      ['GET', '3000001:a'],
      ['MGET', 'list', '3000001:b', 'missing:1'],
      ['PING'],
      ['MGET', ...keys.toReversed()],
      ['MULTI'],
      ['MGET', ...keys.slice(-6)],
      ['EXEC'],
      ['GET', '1:a'],
    ];
    const [theirs, ours] = await Promise.all(
      [bare.port, proxy.port].map(async (port) => {
        const client = await RawClient.connect(port);
        await client.command('HELLO', protocol);
        const alone = await client.command('MGET', ...keys);
        return [alone, ...(await client.pipeline(pipeline))];
      }),
    );
    for (const [i, reply] of (ours ?? []).entries()) expect(theirs?.[i]?.equals(reply), `reply ${i}`).toBe(true);
  },
);

it('is no reply that is not wanted', async () => {
  const client = await RawClient.connect(proxy.port);
  client.send('CLIENT REPLY SKIP\r\n');
  client.send(`MGET ${keys.join(' ')}\r\n`);
  expect(await client.text('PING')).toBe('+PONG\r\n');
});

/** A network to the node that ends when so many bytes of its replies have gone through behind `arm`. */
async function startFuse(port: number, bytes: number): Promise<{ port: number; arm(): void }> {
  let left = Number.POSITIVE_INFINITY;
  const server = net.createServer((client) => {
    const node = net.connect({ port, host: '127.0.0.1' });
    client.pipe(node);
    node.on('data', (chunk) => {
      left -= chunk.length;
      if (left > 0) client.write(chunk);
      else client.destroy();
    });
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    arm: () => {
      left = bytes;
    },
  };
}

it('is an error when a node goes away in the middle, and the client is served on', async () => {
  const fuse = await startFuse((nodes[0] as RedisProcess).port, 2_000_000);
  const others = nodes.slice(1).map(({ address }, i) => `${'bc'[i]}=${address}`);
  const behind = await startRingproxy({ nodes: [`a=127.0.0.1:${fuse.port}`, ...others], allowLog: [/node a/] });
  const client = await RawClient.connect(behind.port);
  const names = Array.from({ length: 12 }, (_, i) => `cut:${i}`);
  await client.pipeline(names.map((name) => ['SET', name, 'x'.repeat(3_000_000)]));
  fuse.arm();
  const [cut, ping] = await client.pipeline([['MGET', ...names], ['PING']]);
  expect(cut?.toString('latin1')).toMatch(/^-NODEDOWN node a .*the outcome of the command is unknown/);
  expect(ping?.toString('latin1')).toBe('+PONG\r\n');
});

it('leaves nothing behind when its client goes away meanwhile', async () => {
  const [leaving, staying] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
  leaving.send(`MGET ${keys.join(' ')}\r\n`);
  leaving.socket.resetAndDestroy();
  for (let i = 0; i < 3; i++) {
    const reply = await staying.command('MGET', '3000001:a', 'missing:1', '3000001:b');
    expect(reply.length).toBe(2 * (3_000_001 + '$3000001\r\n\r\n'.length) + '*3\r\n$-1\r\n'.length);
  }
});
