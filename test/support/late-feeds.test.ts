import { once } from 'node:events';
import net from 'node:net';
import { expect, it } from 'vitest';
import { atEnd } from './cleanup.js';
import { startLateFeeds } from './late-feeds.js';
import { RawClient } from './raw-client.js';

it('keeps the order within a connection, also when it becomes a feed and is late no more', async () => {
  // What came in front of others was taken for their answers: a node had another one's settings.
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => void server.close());
  const { address } = await startLateFeeds((server.address() as net.AddressInfo).port, 0, () => 50);
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const client = await RawClient.connect(Number(address.split(':')[1]));
  const [node] = await accepted;
  node.on('error', () => {});
  for (const [question, answer] of [
    ['first', '+first\r\n'],
    ['TRACKING\r\n$2\r\nON\r\n', '+second\r\n'],
  ] as const) {
    client.send(question);
    await once(node, 'data');
    node.write(answer);
  }
  expect((await client.replies(2)).map(String)).toEqual(['+first\r\n', '+second\r\n']);
});
