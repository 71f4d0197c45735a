/**
 * A coordinator stands still while it empties a node that was restarted; another one takes over, empties it, and opens it;
 * then what the first one had sent arrives, and then it goes on. Symptom where it may remove keys behind that (its connections
 * are dropped neither as those of a dead member nor as those of an attempt of before): writes that were acknowledged since are
 * lost.
 */
import { expect, it } from 'vitest';
import { FaultRelay } from '../support/fault-relay.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { RawClient } from '../support/raw-client.js';
import type { RedisProcess } from '../support/redis-process.js';

const CONFIG = `
on-node-failure: eject
eject-after: 1h
connect-timeout: 1s
request-timeout: 2s
probe-interval: 100ms
probe-timeout: 1s
reconnect-backoff-max: 100ms
`;
const KEYS = Array.from({ length: 300 }, (_, i) => `key:${i}`);

/** From when on a restart is noticed: the record says of each node which process may serve. */
async function recorded({ etcd, nodes }: Fleet): Promise<void> {
  const all = Buffer.of(0).toString('base64');
  const known = async (): Promise<number> => {
    const { kvs = [] } = (await etcd.call('/v3/kv/range', { key: all, range_end: all })) as {
      kvs?: { value?: string }[];
    };
    const values = kvs.map(({ value = '' }) => Buffer.from(value, 'base64').toString());
    return Math.max(0, ...values.map((value) => value.match(/"runId"/g)?.length ?? 0));
  };
  await expect.poll(known, { timeout: 30_000 }).toBe(nodes.length);
}

/** Writes every key. @returns whether all of them were acknowledged */
async function writeAll(proxy: FleetProxy, value: string): Promise<boolean> {
  const client = await RawClient.connect(proxy.port);
  const replies = await client.pipeline(KEYS.map((key) => ['SET', key, value]));
  client.close();
  return replies.every((reply) => String(reply) === '+OK\r\n');
}

async function readAll(proxy: FleetProxy): Promise<Set<string>> {
  const client = await RawClient.connect(proxy.port);
  const replies = await client.pipeline(KEYS.map((key) => ['GET', key]));
  client.close();
  return new Set(replies.map(String));
}

it('a coordinator that stalls while it empties a node removes nothing that was written behind another one', {
  timeout: 120_000,
}, async () => {
  const relays = new Map<RedisProcess, FaultRelay>();
  const fleet = await startFleet({
    inFront: async (node) => {
      const relay = await FaultRelay.start(node.port);
      relays.set(node, relay);
      return relay.address;
    },
    config: CONFIG,
    allowLog: [...TROUBLE, /node\d/, /upstream/, /stood still/],
  });
  const [, node] = fleet.nodes as [RedisProcess, RedisProcess];
  const relay = relays.get(node) as FaultRelay;
  await recorded(fleet);
  await expect.poll(() => writeAll(fleet.proxies[0] as FleetProxy, 'before')).toBe(true);
  await node.client().save();

  const flush = relay.hold(([word = '']) => word.toUpperCase() === 'FLUSHALL');
  await node.restart();
  expect(await node.client().dbsize()).toBeGreaterThan(0);
  await flush.reached;
  const stalled = await fleet.coordinator();
  stalled.stall();
  const [other] = fleet.proxies.filter((proxy) => proxy !== stalled) as [FleetProxy];
  await expect.poll(() => writeAll(other, 'behind'), { timeout: 60_000 }).toBe(true);
  const there = await node.client().dbsize();
  expect(there).toBeGreaterThan(0);

  const ran = await flush.deliver();
  expect(await node.client().dbsize()).toBe(there);
  expect(ran).toBe(false);
  stalled.goOn();
  await fleet.everyone('all proxies in the fleet', ({ proxies }) => proxies.filter(({ alive }) => alive).length === 3);
  for (const proxy of fleet.proxies) {
    await expect.poll(() => readAll(proxy), { timeout: 30_000 }).toEqual(new Set(['$6\r\nbehind\r\n']));
  }
  expect(await node.client().dbsize()).toBe(there);
});
