/** Clients that ask for much, read nothing and leave: what they were owed does not pile up behind them. */
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { canFreeBytes } from '../../src/proxy/io/free-bytes.js';
import { request } from '../../src/resp/encode.js';
import { megabytes } from '../support/process-memory.js';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const CLIENTS = 20;
const KEYS = 40;
const PIPELINE = Buffer.concat(Array.from({ length: 3000 }, (_, i) => request(['GET', `key:${i % KEYS}`])));

async function clients(proxy: RingproxyProcess): Promise<number> {
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  return Number(/^ringproxy_client_connections (\d+)/m.exec(metrics)?.[1]);
}

function openWithout(proxy: RingproxyProcess): Socket {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  socket.write(PIPELINE);
  return socket;
}

// Node.js 20 cannot free what it has: the collector does, when it comes to it.
it.runIf(canFreeBytes)('is given back when they leave, round after round', { timeout: 60_000 }, async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, config: 'client-output-limit: 2mb\n' });
  const client = await RawClient.connect(proxy.port);
  for (let i = 0; i < KEYS; i++) await client.text('SET', `key:${i}`, 'v'.repeat(i % 2 === 0 ? 3000 : 20_000));
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) {
    const sockets = Array.from({ length: CLIENTS }, () => openWithout(proxy));
    let [before, looks] = [0, 0];
    await expect
      .poll(
        () => {
          const now = megabytes(proxy.pid, 'now');
          looks = Math.abs(now - before) < 1 ? looks + 1 : 0;
          before = now;
          return looks;
        },
        { interval: 50, timeout: 10_000 },
      )
      .toBeGreaterThan(8);
    rounds.push(before);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => clients(proxy)).toBe(1);
  }
  client.close();
  const [first = 0] = rounds;
  expect(Math.max(...rounds), `megabytes in each round: ${rounds.map(Math.round)}`).toBeLessThan(first * 1.5);
});
