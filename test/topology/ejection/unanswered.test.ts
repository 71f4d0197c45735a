/**
 * A node that lets connections in, answers probes and the handshake, and no client's command. Symptom: it was never
 * ejected, and `ring show` said nothing of it, since its probes were well and each connection that was made anew looked
 * like a recovery.
 */
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../../support/cleanup.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { fillers, ownersOf, ringOf, until } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';

const CONFIG = `
on-node-failure: eject
eject-after: 500ms
rejoin-after: 300ms
request-timeout: 200ms
connect-timeout: 5s
probe-interval: 100ms
probe-timeout: 5s
reconnect-backoff-max: 50ms
`;

/** In front of a server: while it swallows, a connection on which a client's command has come says nothing any more. */
async function startSwallower({ port }: RedisProcess): Promise<{ port: number; swallow(does: boolean): void }> {
  let swallows = false;
  const server = net.createServer((client) => {
    const redis = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let isSwallowed = false;
    client.on('data', (chunk: Buffer) => {
      isSwallowed ||= swallows && /\r\n(?:get|set)\r\n/i.test(chunk.toString('latin1'));
      if (!isSwallowed) redis.write(chunk);
    });
    redis.on('data', (chunk: Buffer) => void client.write(chunk));
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      one.on('error', () => {}).on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => void server.close());
  const { port: own } = server.address() as net.AddressInfo;
  return {
    port: own,
    swallow: (does) => {
      swallows = does;
    },
  };
}

describe('a node that answers probes, and no command', () => {
  it.each([{ args: [] }, { args: ['--workers', '2'] }])(
    'is told of, ejected, and comes back ($args)',
    async ({ args }) => {
      const [redis, ...others] = (await startRedises(3)) as [RedisProcess, ...RedisProcess[]];
      const relay = await startSwallower(redis);
      const address = `127.0.0.1:${relay.port}`;
      const nodes = [`bad=${address}`, ...others.map((node, i) => `good${i}=${node.address}`)];
      const proxy = await startRingproxy({ nodes, args, config: CONFIG, allowLog: [/bad/, /upstream/] });
      const owners = await ownersOf(proxy, fillers(60));
      const key = fillers(60)[owners.indexOf(address)] ?? '';
      let isOver = false;
      const clients = Array.from({ length: 4 }, async () => {
        const client = await RawClient.connect(proxy.port);
        while (!isOver) await client.text('GET', key);
        client.close();
      });
      relay.swallow(true);
      await until(proxy, ({ nodes: all, change }) => change === null && all.some(({ state }) => state === 'ejected'));
      const out = (await ringOf(proxy)).nodes.find(({ name }) => name === 'bad');
      expect(out?.ejection?.why).toMatch(/^down for \d+ s \(UNANSWERED it lets connections in/);
      expect(proxy.log.some(({ msg }) => /^node bad .*is of no use to clients: UNANSWERED/.test(msg))).toBe(true);
      relay.swallow(false);
      await until(proxy, ({ nodes: all, change }) => change === null && all.every(({ state }) => state === 'active'));
      isOver = true;
      await Promise.all(clients);
    },
  );
});
