/** What subscribers cost: memory and time are bounded, however many channels there are and however little they read. */
import { expect, it } from 'vitest';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

/**
 * Symptom: a client that reads neither a large reply nor the messages that come meanwhile was never closed, and the
 * proxy kept all messages. Cause: those that wait for the end of a reply were not counted.
 */
it('a subscriber that does not read a large reply is closed when too many messages wait behind it', async () => {
  const nodes = await startRedises(1);
  const proxy = await startRingproxy({ nodes, config: 'client-output-limit: 4mb\n' });
  const publisher = await RawClient.connect(proxy.port);
  await publisher.command('SET', 'large', Buffer.alloc(30_000_000, 'v'));
  const lazy = await RawClient.connect(proxy.port);
  await lazy.command('HELLO', '3');
  await lazy.command('SUBSCRIBE', 'busy');
  lazy.socket.pause();
  lazy.send(request(['GET', 'large']));
  const payload = 'x'.repeat(50_000);
  // Four times the limit.
  let receivers = ':1\r\n';
  for (let i = 0; i < 320 && receivers === ':1\r\n'; i++) receivers = await publisher.text('PUBLISH', 'busy', payload);
  expect(receivers).toBe(':0\r\n');
});

/**
 * Symptom: a client that subscribed to 100,000 channels made all others wait for seconds. Cause: each answer of a node
 * moved the whole queue of what was still to be answered. Five times the channels may take five times the time, and as
 * much again for a busy machine; with the cause it was sixteen times.
 */
it('the time that subscribing takes grows with the number of channels, not its square', {
  timeout: 120_000,
}, async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes });
  const subscriber = await RawClient.connect(proxy.port);
  const publisher = await RawClient.connect(proxy.port);
  const subscribeAndLeave = async (count: number): Promise<number> => {
    const channels = Array.from({ length: count }, (_, i) => `channel:${i}`);
    const start = performance.now();
    const subscribed = subscriber.replies(count);
    subscriber.send(request(['SUBSCRIBE', ...channels]));
    await subscribed;
    const message = subscriber.replies(1);
    expect(await publisher.text('PUBLISH', `channel:${count - 1}`, 'to the last')).toBe(':1\r\n');
    expect(String(await message)).toContain('to the last');
    const ended = subscriber.replies(count);
    subscriber.send(request(['UNSUBSCRIBE']));
    await ended;
    return performance.now() - start;
  };
  await subscribeAndLeave(20_000);
  // Of some attempts the best: what other processes take from this machine does not count.
  let growth = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && growth >= 10; attempt++) {
    const few = await subscribeAndLeave(20_000);
    growth = Math.min(growth, (await subscribeAndLeave(100_000)) / few);
  }
  expect(growth).toBeLessThan(10);
});

/**
 * Symptom: on a busy machine a message was not heard by a client whose SUBSCRIBE was answered. Cause: a subscription
 * was confirmed after `request-timeout`, although its nodes were well and only had many topics to confirm.
 */
it('a subscription is confirmed when the nodes have it, and not before', { timeout: 120_000 }, async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, env: { RINGPROXY_REQUEST_TIMEOUT: '1s' } });
  const [many, one, publisher] = await Promise.all([1, 2, 3].map(() => RawClient.connect(proxy.port)));
  if (many === undefined || one === undefined || publisher === undefined) throw new Error('no clients');
  // Takes seconds; whoever comes next waits behind it.
  many.send(request(['SUBSCRIBE', ...Array.from({ length: 150_000 }, (_, i) => `channel:${i}`)]));
  await expect.poll(async () => (await nodes[0]?.client().pubsub('NUMSUB', 'channel:0'))?.[1], { interval: 1 }).toBe(1);
  await one.command('SUBSCRIBE', 'last');
  const message = one.replies(1);
  expect(await publisher.text('PUBLISH', 'last', 'heard')).toBe(':1\r\n');
  expect(String(await message)).toContain('heard');
});
