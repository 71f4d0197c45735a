/** Subscribers hear each message once, and each channel's in order, while channels change their owners. */
import { expect, it } from 'vitest';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { add, fill, ownersOf, post, settled } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { startSlowRelay } from '../../../support/slow-relay.js';

const CHANNELS = Array.from({ length: 24 }, (_, i) => `channel:${i}`);

/** What a client has heard: for each channel the numbers, in the order in which they came. */
class Listener {
  readonly heard = new Map<string, number[]>();

  constructor(client: RawClient) {
    const take = async (): Promise<void> => {
      for (;;) {
        const [frame] = await client.replies(1);
        const fields = frame?.toString().split('\r\n') ?? [];
        const pattern = fields[2] === 'pmessage';
        const channel = fields[pattern ? 6 : 4] ?? '';
        const numbers = this.heard.get(channel) ?? [];
        numbers.push(Number(fields[pattern ? 8 : 6]));
        this.heard.set(channel, numbers);
      }
    };
    take().catch(() => {});
  }
}

it.each([
  ['one process', [], 0],
  ['two workers', ['--workers', '2'], 0],
  ['one process behind a slow network', [], 60],
] as const)('%s', { timeout: 60_000 }, async (_title, args, delay) => {
  const nodes = await startRedises(3);
  const [first, second, third] = nodes as [RedisProcess, RedisProcess, RedisProcess];
  const connect = async (node: RedisProcess): Promise<string> =>
    delay === 0 ? node.address : await startSlowRelay(node.port, () => Math.random() * delay);
  const addresses = await Promise.all([first, second].map(connect));
  const proxy = await startRingproxy({ nodes: addresses.map((address, i) => `node${i + 1}=${address}`), args });
  await fill(proxy, 300);
  const listeners: Listener[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await RawClient.connect(proxy.port);
    if (i % 2 === 1) await client.command('HELLO', '3');
    if (i < 3) {
      client.send(request(['SUBSCRIBE', ...CHANNELS]));
      await client.replies(CHANNELS.length);
    } else await client.command('PSUBSCRIBE', 'channel:*');
    listeners.push(new Listener(client));
  }
  let published = 0;
  let publishing = true;
  const publishers = CHANNELS.map(async (channel) => {
    const client = await RawClient.connect(proxy.port);
    let number = 0;
    while (publishing) {
      const reply = await client.text('PUBLISH', channel, String(number++));
      expect(reply).toMatch(/^:[1-9]/);
      published++;
    }
    return number;
  });
  const progress = async (): Promise<void> => {
    const before = published;
    await expect.poll(() => published, { timeout: 20_000 }).toBeGreaterThan(before + 200);
  };
  await progress();
  const before = await ownersOf(proxy, CHANNELS);
  await post(proxy, 'changes', add('node3', third));
  await settled(proxy);
  expect((await ownersOf(proxy, CHANNELS)).filter((owner, i) => owner !== before[i]).length).toBeGreaterThan(2);
  await progress();
  await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
  await settled(proxy);
  await progress();
  publishing = false;
  const counts = await Promise.all(publishers);
  for (const { heard } of listeners) {
    await expect
      .poll(() => CHANNELS.every((channel, i) => heard.get(channel)?.at(-1) === (counts[i] ?? 0) - 1))
      .toBe(true);
    for (const [i, channel] of CHANNELS.entries()) {
      expect(heard.get(channel)).toEqual(Array.from({ length: counts[i] ?? 0 }, (__, number) => number));
    }
  }
});
