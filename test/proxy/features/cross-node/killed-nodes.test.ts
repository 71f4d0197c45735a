/**
 * A node that is killed (SIGKILL) in the middle of each way, and comes back with its data or empty. With its data each key has
 * its old value or its new one; empty, the other node's keys do. Nothing that was lent is left, and what follows works.
 */
import { describe, expect, it } from 'vitest';
import { FaultRelay } from '../../../support/fault-relay.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { ownersOf } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { type KeyNames, keysOf, valuesOf, WAYS, wordsOf } from './ways.js';

/** How many requests of the ways get through to the node before it is killed. */
const MOMENTS = [4, 24];

describe.each([
  { title: 'its data', args: ['--appendonly', 'yes'], keeps: true },
  { title: 'nothing', args: [], keeps: false },
])('a node that is killed and comes back with $title', ({ args, keeps }) => {
  it('in the middle of each way', { timeout: 60_000 }, async () => {
    const nodes = await startRedises(2, { args });
    const relays = await Promise.all(nodes.map(({ port }) => FaultRelay.start(port)));
    const proxy = await startRingproxy({
      nodes: relays,
      config: 'reconnect-backoff-max: 50ms\n',
      allowLog: [/upstream:/, /node:health/, /down/],
    });
    const client = await RawClient.connect(proxy.port);
    const names = Array.from({ length: 150 }, (_, i) => `key:${i}`);
    const owners = await ownersOf(proxy, names);
    const [a = [], b = []] = relays.map(({ address }) => names.filter((_, i) => owners[i] === address));
    const keys = WAYS.map((_, i) => keysOf(i, a, b));
    const clients = await Promise.all(WAYS.map(() => RawClient.connect(proxy.port)));
    /** @returns the replies of all ways, which run at the same time, behind `first` and beside `meanwhile` */
    const run = async (meanwhile: () => Promise<void>, first = async () => {}): Promise<string[]> => {
      for (const relay of relays) relay.heal();
      await expect.poll(() => client.text('FLUSHALL'), { interval: 5, timeout: 20_000 }).toBe('+OK\r\n');
      for (const [i, { before }] of WAYS.entries()) {
        for (const line of before) await client.command(...wordsOf(line, keys[i] as KeyNames));
      }
      await first();
      const fault = meanwhile();
      const replies = await Promise.all(
        WAYS.map(async ({ command }, i) => {
          const lines = command.split('|').map((line) => wordsOf(line, keys[i] as KeyNames));
          return String((await clients[i]?.pipeline(lines))?.at(-1));
        }),
      );
      await fault;
      return replies;
    };
    for (const [at, node] of nodes.entries()) {
      const valuesAfter = async (): Promise<string[]> => {
        await run(
          async () => {},
          async () => void (await node.client().flushall()),
        );
        return Promise.all(keys.map(async (each) => onlyAt(1 - at, await valuesOf(each, nodes))));
      };
      // What a way makes that runs as a whole when the node is back, with nothing.
      const afterLoss = keeps ? [] : await valuesAfter();
      for (const moment of MOMENTS) {
        const replies = await run(() => killAt(relays[at] as FaultRelay, node, moment));
        expect(replies.filter((reply) => reply.includes('-NODEDOWN')).length).toBeGreaterThan(0);
        for (const [i, { title, allowed }] of WAYS.entries()) {
          const found = await valuesOf(keys[i] as KeyNames, nodes);
          const seen = keeps ? allowed : [...allowed.map((values) => onlyAt(1 - at, values)), afterLoss[i]];
          expect(seen, `${title}, node ${at}, ${moment}: ${replies[i]}`).toContain(
            keeps ? found : onlyAt(1 - at, found),
          );
        }
        for (const one of nodes) expect(await one.client().keys('__ringproxy__*')).toEqual([]);
      }
    }
    await run(async () => {});
    for (const [i, { title, allowed }] of WAYS.entries()) {
      expect(await valuesOf(keys[i] as KeyNames, nodes), title).toBe(allowed.at(-1));
    }
  });
});

/** Kills the node when so many requests have come through, and starts it again. */
async function killAt(relay: FaultRelay, node: RedisProcess, moment: number): Promise<void> {
  let seen = 0;
  const held = relay.hold(() => seen++ === moment);
  await held.reached;
  await node.restart();
  await held.deliver();
}

/** @param values of A, B and C @returns those of the keys that this node has */
function onlyAt(node: number, values: string): string {
  const [a, b, c] = values.split(' ');
  return node === 1 ? `${b}` : `${a} ${c}`;
}
