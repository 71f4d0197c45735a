/** Two proxies, several producers, many consumers over several nodes: each element is consumed once, whatever happens meanwhile. */
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { startFleet, TROUBLE } from '../../../../support/fleet.js';
import { RawClient } from '../../../../support/raw-client.js';
import { add, ownersOf, post, settled } from '../../../../support/ring-api.js';

const ELEMENTS = 2000;
const CONSUMERS = 50;
const PRODUCERS = 4;

it('each element is consumed once, while feeds are killed and a node joins', { timeout: 120_000 }, async () => {
  const fleet = await startFleet({ proxies: 2, nodes: 3, spares: 1, allowLog: TROUBLE });
  const [first, second] = fleet.proxies;
  if (first === undefined || second === undefined) throw new Error('two proxies');
  const names = Array.from({ length: 9 }, (_, i) => `queue:${i}`);
  expect(new Set(await ownersOf(first, names)).size).toBeGreaterThan(1);
  const consumed: string[] = [];
  const consume = async (port: number, at: number): Promise<void> => {
    const client = await RawClient.connect(port);
    const keys = [0, 1, 2].map((i) => names[(at + i * 4) % names.length] as string);
    const command = at % 2 === 0 ? 'BLPOP' : 'BRPOP';
    for (;;) {
      const reply = await client.text(command, ...keys, '0');
      if (!reply.startsWith('*2')) throw new Error(reply);
      const element = reply.split('\r\n')[4] as string;
      if (element === 'end') return;
      consumed.push(element);
    }
  };
  const consumers = Array.from({ length: CONSUMERS }, (_, i) => consume(i % 2 === 0 ? first.port : second.port, i));
  const killers = fleet.nodes.map((node) => node.client());
  const killFeeds = async (node: Redis): Promise<void> => {
    const list = String(await node.client('LIST'));
    const feeds = [...list.matchAll(/^id=(\d+) .*flags=[^ ]*B/gm)].map((match) => match[1] as string);
    for (const feed of feeds) await node.client('KILL', 'ID', feed);
  };
  let change: Promise<unknown> = Promise.resolve();
  const produce = async (at: number): Promise<void> => {
    const client = await RawClient.connect(at % 2 === 0 ? first.port : second.port);
    for (let i = at; i < ELEMENTS; i += PRODUCERS) {
      const reply = await client.text(i % 3 === 0 ? 'LPUSH' : 'RPUSH', names[i % names.length] as string, `e${i}`);
      if (!reply.startsWith(':')) throw new Error(reply);
      if (i === ELEMENTS / 4) change = post(first, 'changes', add('node4', fleet.spares[0])).then(() => settled(first));
      if (i % 500 === 300) await Promise.all(killers.map(killFeeds));
    }
  };
  await Promise.all(Array.from({ length: PRODUCERS }, (_, i) => produce(i)));
  await change;
  const pusher = first.process.client();
  // Whoever is served by one of these leaves; the others wait on.
  let left = CONSUMERS;
  const done = consumers.map((consumer) => consumer.then(() => left--));
  while (consumed.length < ELEMENTS && left === CONSUMERS) await new Promise((resolve) => setTimeout(resolve, 5));
  while (left > 0) {
    for (const name of names) if ((await pusher.llen(name)) === 0) await pusher.rpush(name, 'end');
  }
  await Promise.all(done);
  expect(consumed.length).toBe(ELEMENTS);
  expect(new Set(consumed).size).toBe(ELEMENTS);
});
