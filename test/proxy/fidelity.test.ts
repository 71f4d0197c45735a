/** Bytes in are bytes out: binary keys and values of every length, at several depths, in both protocols. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

let proxy: RingproxyProcess;

beforeAll(async () => {
  proxy = await startRingproxy({ nodes: await startRedises(3) });
});

/** Every length around the sizes of buffers, and a spread of those between. */
function lengths(): number[] {
  const found: number[] = [];
  for (let length = 0; length <= 70_000; length++) {
    const nearEdge = [0, 512, 8192, 16_384, 32_768, 65_536].some((edge) => Math.abs(length - edge) < 130);
    if (nearEdge || length % 89 === 0) found.push(length);
  }
  return found;
}

function bulk(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`$${payload.length}\r\n`), payload, Buffer.from('\r\n')]);
}

async function connect(protocol: '2' | '3'): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  await client.command('HELLO', protocol);
  return client;
}

describe.each(['2', '3'] as const)('RESP%s', (protocol) => {
  it.each([1, 16, 1000])(
    'values of every length come back as they went, %i at a time',
    { timeout: 120_000 },
    async (depth) => {
      const client = await connect(protocol);
      const all = lengths();
      for (let first = 0; first < all.length; first += depth) {
        const batch = all.slice(first, first + depth).map((length) => ({
          key: randomBytes(1 + (length % 60)),
          value: randomBytes(length),
        }));
        // Keys of one byte may repeat: each is read right behind its write.
        const replies = await client.pipeline(
          batch.flatMap(({ key, value }) => [
            ['SET', key, value],
            ['GET', key],
            ['STRLEN', key],
          ]),
        );
        batch.forEach(({ value }, i) => {
          expect(replies[i * 3]?.toString()).toBe('+OK\r\n');
          if (replies[i * 3 + 1]?.equals(bulk(value)) !== true)
            expect(`a value of ${value.length} bytes`).toBe('unchanged');
          expect(replies[i * 3 + 2]?.toString()).toBe(`:${value.length}\r\n`);
        });
      }
    },
  );

  it.each([1, 10, 100])(
    'a value of %i MB comes back as it went, among others',
    { timeout: 180_000 },
    async (megabytes) => {
      const client = await connect(protocol);
      const value = randomBytes(megabytes * 1024 * 1024);
      const replies = await client.pipeline([
        ['SET', 'small', 'before'],
        ['SET', 'large', value],
        ['GET', 'small'],
        ['GET', 'large'],
        ['GET', 'small'],
        ['GET', 'large'],
        ['DEL', 'large'],
      ]);
      const small = '$6\r\nbefore\r\n';
      expect([0, 1, 2, 4, 6].map((i) => replies[i]?.toString())).toEqual([
        '+OK\r\n',
        '+OK\r\n',
        small,
        small,
        ':1\r\n',
      ]);
      expect(replies[3]?.equals(bulk(value))).toBe(true);
      expect(replies[5]?.equals(bulk(value))).toBe(true);
    },
  );

  it('MGET and MSET keep large and binary values apart', { timeout: 180_000 }, async () => {
    const client = await connect(protocol);
    const pairs = Array.from({ length: 120 }, (_, i) => ({
      key: randomBytes(12),
      value: randomBytes((i * 7919) % 40_000),
    }));
    expect(String(await client.command('MSET', ...pairs.flatMap(({ key, value }) => [key, value])))).toBe('+OK\r\n');
    const reply = await client.command('MGET', ...pairs.map(({ key }) => key));
    expect(reply.equals(Buffer.concat([Buffer.from('*120\r\n'), ...pairs.map(({ value }) => bulk(value))]))).toBe(true);
  });
});

it('a request that comes byte by byte is understood', { timeout: 180_000 }, async () => {
  const client = await RawClient.connect(proxy.port);
  const frames = Buffer.from(
    '*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$11\r\nhello\r\nworl\r\n*2\r\n$3\r\nget\r\n$5\r\nkey:1\r\nPING\r\n',
  );
  const replies = client.replies(3);
  client.socket.setNoDelay(true);
  for (const byte of frames)
    await new Promise<void>((resolve) => client.socket.write(Buffer.of(byte), () => resolve()));
  expect((await replies).map(String)).toEqual(['+OK\r\n', '$11\r\nhello\r\nworl\r\n', '+PONG\r\n']);
});
