/** A pipeline waits for its keys that move together, and not for one behind the other. */
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, post, settled, until } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';

const COMMANDS = 120;
/** The command that finds a key on its way, and those that are looked at behind it: 120 commands need two or three. */
const MOST_BATCHES = 4;

/** Batches of keys that were taken off the node. */
async function batchesOff(node: RedisProcess): Promise<number> {
  return Number(/^cmdstat_eval:calls=(\d+)/m.exec(await node.client().info('commandstats'))?.[1] ?? 0);
}

// Symptom: clients that send pipelines waited for tens of milliseconds, on a busy machine for hundreds: once for each key.
it.each([1, 2])('moves the keys of the commands behind one that waits, with %i workers', async (workers) => {
  const nodes = await startRedises(2);
  const [source, target] = nodes as [RedisProcess, RedisProcess];
  const proxy = await startRingproxy({ nodes: [source], config: `workers: ${workers}\n` });
  const keys = Array.from({ length: COMMANDS }, (_, i) => `key:${i}`);
  await source.client().mset(Object.fromEntries(keys.map((key) => [key, '1'])));
  // So that the sweep leaves the keys to the client.
  await post(proxy, 'changes', { ...add('node2', target), throttle: 20 });
  await post(proxy, 'changes/current/pause');
  await until(proxy, ({ change }) => change?.paused === true);
  const client = await RawClient.connect(proxy.port);
  const before = await batchesOff(source);
  // One key each, two of them, and reads between them, which need not wait for their keys.
  const replies = await client.pipeline(
    keys.map((key, i) => (i % 3 === 0 ? ['GET', key] : i % 3 === 1 ? ['INCR', key] : ['EXISTS', key, `${key}:absent`])),
  );
  expect(replies.map(String)).toEqual(keys.map((_key, i) => ['$1\r\n1\r\n', ':2\r\n', ':1\r\n'][i % 3]));
  const moved = await target.client().dbsize();
  expect(moved).toBeGreaterThan(COMMANDS / 4);
  expect((await batchesOff(source)) - before).toBeLessThanOrEqual(MOST_BATCHES);
  await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
  await post(proxy, 'changes/current/resume');
  await settled(proxy);
  const values = await proxy.client().mget(...keys);
  expect(values).toEqual(keys.map((_key, i) => (i % 3 === 1 ? '2' : '1')));
});
