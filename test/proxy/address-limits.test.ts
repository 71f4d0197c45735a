/** What clients of one address may do, at a real proxy. */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { headersFor } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const PING = Buffer.from('*1\r\n$4\r\nPING\r\n');

async function start(config: string, workers = 1): Promise<RingproxyProcess> {
  const args = ['--workers', String(workers)];
  return startRingproxy({ nodes: await startRedises(1), config, args, allowLog: [/max-clients-per-address/] });
}

async function limitedOf(proxy: RingproxyProcess): Promise<Record<string, number>> {
  const text = await (await fetch(`${proxy.admin}/metrics`, { headers: headersFor(proxy) })).text();
  const found = text.matchAll(/^ringproxy_limited_total\{limit="(\w+)",of="address"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, limit, value]) => [limit, Number(value)]));
}

describe('clients of an address', () => {
  it('are so many, and one more is told so; who leaves makes room', async () => {
    const proxy = await start('max-clients-per-address: 3\n');
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(proxy.port)));
    for (const client of clients) expect(await client.text('PING')).toBe('+PONG\r\n');
    const refused = await RawClient.connect(proxy.port);
    expect(String((await refused.replies(1))[0])).toBe('-ERR max number of clients of this address reached\r\n');
    await refused.closed;
    clients[0]?.close();
    await expect
      .poll(async () => {
        const next = await RawClient.connect(proxy.port);
        return next.text('PING').catch(() => 'refused');
      })
      .toBe('+PONG\r\n');
    expect((await limitedOf(proxy)).connections).toBeGreaterThanOrEqual(1);
  });

  it.each([1, 2])(
    'send so many commands a second together, all are answered in order (%i workers)',
    async (workers) => {
      const proxy = await start('commands-per-address: 20000\n', workers);
      const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(proxy.port)));
      const began = performance.now();
      const each = 30_000;
      await Promise.all(
        clients.map(async (client, number) => {
          const commands = Array.from({ length: each }, (_, i) => ['ECHO', `${number}:${i}`]);
          const replies = await client.pipeline(commands);
          expect(replies.map((reply) => reply.toString().split('\r\n')[1])).toEqual(commands.map(([, text]) => text));
        }),
      );
      const seconds = (performance.now() - began) / 1000;
      // A second's worth at once, and the last chunk of each connection whole; workers share the rate.
      expect((4 * each) / seconds).toBeLessThan(20_000 * 2.2);
      expect((await limitedOf(proxy)).commands).toBeGreaterThan(0);
    },
  );

  it('send so many bytes a second, also of a large value, and come back to their debts', async () => {
    const proxy = await start('bytes-per-address: 1mb\nstream-threshold: 64kb\n');
    const client = await RawClient.connect(proxy.port);
    const began = performance.now();
    expect(await client.text('SET', 'large', 'x'.repeat(3_000_000))).toBe('+OK\r\n');
    expect(performance.now() - began).toBeGreaterThan(1500);
    expect(await client.text('STRLEN', 'large')).toBe(':3000000\r\n');
    client.close();
    const next = await RawClient.connect(proxy.port);
    expect(await next.text('PING')).toBe('+PONG\r\n');
    expect((await limitedOf(proxy)).bytes).toBeGreaterThan(0);
  });

  it('that leave while they wait are no burden, and what came before their end is carried out', async () => {
    const proxy = await start('commands-per-address: 500\n');
    const client = await RawClient.connect(proxy.port);
    client.send(Buffer.concat(Array.from({ length: 1500 }, () => PING)));
    client.socket.end();
    expect(await client.replies(1500)).toHaveLength(1500);
    await client.closed;
    const gone = await RawClient.connect(proxy.port);
    gone.send(Buffer.concat(Array.from({ length: 3000 }, () => PING)));
    gone.socket.resetAndDestroy();
    await gone.closed;
    const last = await RawClient.connect(proxy.port);
    expect(await last.text('PING')).toBe('+PONG\r\n');
  });

  it('are not limited where nothing says so', async () => {
    const proxy = await start('commands-per-address: 0\n');
    const client = await RawClient.connect(proxy.port);
    expect(await client.pipeline(Array.from({ length: 5000 }, () => ['PING']))).toHaveLength(5000);
    expect(await limitedOf(proxy)).toEqual({ connections: 0, commands: 0, bytes: 0 });
  });
});
