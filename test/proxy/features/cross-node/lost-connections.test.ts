import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

/** Many connections end between two steps of a command, and not only while it waits for an answer. */
const KILLS = 60;
/** Where the outcome was unknown, the source may be gone. */
const KNOWN = /^(\+OK|-NODEDOWN|-ERR no such key)/;

it('commands of several steps are answered, whenever their connections end', async () => {
  const nodes = await startRedises(3);
  const proxy = await startRingproxy({ nodes, allowLog: [/upstream/, /node:health/] });
  const names = Array.from({ length: 60 }, (_, i) => `key:${i}`);
  const owners = await ownersOf(proxy, names);
  const apart = nodes.map((node) => names.filter((_, i) => owners[i] === node.address));
  const pairs = [0, 1, 2, 3].map((i) => [apart[0]?.[i] ?? '', apart[1]?.[i] ?? ''] as const);
  const first = await RawClient.connect(proxy.port);
  for (const [i, [a]] of pairs.entries()) expect(await first.text('SET', a, `value ${i}`)).toBe('+OK\r\n');

  let isOver = false;
  let renamed = 0;
  const unknown: string[] = [];
  const clients = pairs.map(async ([a, b]) => {
    const client = await RawClient.connect(proxy.port);
    for (let [from, to] = [a, b]; !isOver; [from, to] = [to, from]) {
      const reply = await client.text('RENAME', from, to);
      if (reply === '+OK\r\n') renamed++;
      if (!KNOWN.test(reply)) unknown.push(reply);
    }
    client.close();
  });
  const killers = nodes.map((node) => node.client());
  for (let i = 0; i < KILLS; i++) {
    const before = renamed;
    await killers[i % killers.length]?.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => renamed, { interval: 1, timeout: 20_000 }).toBeGreaterThan(before);
  }
  isOver = true;
  await Promise.all(clients);
  expect(unknown).toEqual([]);
  for (const [i, pair] of pairs.entries()) {
    const found = async (): Promise<string[]> =>
      (await first.pipeline(pair.map((key) => ['GET', key]))).map((reply) => reply.toString());
    await expect.poll(found).toContain(`$7\r\nvalue ${i}\r\n`);
  }
  first.close();
});
