/**
 * Symptom: a node by its servers and another one by the address of one of these; 40 keys were set and acknowledged, and
 * `ring set-weight` removed 9 of them as keys that their node did not own.
 */
import { describe, expect, it } from 'vitest';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { fill, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { startReplicas } from '../support/sentinels.js';

const EXPECTED = [/are one server/, /any more/, /does not own/, /given up/, /node:(?:failover|health)/, /upstream:/];
const KEYS = 60;

async function startPair(): Promise<[RedisProcess, RedisProcess]> {
  const master = await startRedis();
  const [replica] = await startReplicas(master, 1);
  if (replica === undefined) throw new Error('there is a replica');
  return [master, replica];
}

/** Nothing that would remove keys is done at the server. */
async function expectKept(proxy: RingproxyProcess, server: RedisProcess): Promise<void> {
  await proxy.logged(/pair \(.*\) and plain \(.*\) are one server, where each would take the other's keys for strays/);
  await fill(proxy, KEYS);
  const reweight = { kind: 'reweight', weights: [{ name: 'pair', weight: 2 }] };
  await expect(post(proxy, 'changes', reweight)).rejects.toThrow('SAME_SERVER');
  await expect(post(proxy, 'changes', { kind: 'remove', remove: ['plain'] })).rejects.toThrow('SAME_SERVER');
  for (const fix of [false, true]) await expect(post(proxy, 'check', { fix })).rejects.toThrow('SAME_SERVER');
  for (const { reason } of (await ringOf(proxy)).nodes) expect(reason).toContain('are one server');
  expect(await server.client().dbsize()).toBe(KEYS);
}

describe('two nodes that are one server', () => {
  it('lose no keys from the start on, until one of them gets a server of its own', async () => {
    const [master, replica] = await startPair();
    const proxy = await startRingproxy({
      nodes: [`pair=${master.address},${replica.address}`, `plain=${master.address}`],
      allowLog: EXPECTED,
    });
    await expectKept(proxy, master);
    const other = await startRedis();
    const replace = [{ name: 'plain', address: other.address }];
    await post(proxy, 'changes', { kind: 'replace', replace, noDrain: true });
    await settled(proxy);
    await proxy.logged(/no two nodes are one server any more/);
    await fill(proxy, KEYS);
    const owned = await proxy.client().keys('filler:*');
    expect(owned.length).toBe(KEYS);
    await post(proxy, 'check', { fix: true });
    await expect.poll(() => master.client().dbsize()).toBeLessThan(KEYS);
    expect((await proxy.client().keys('filler:*')).length).toBe(KEYS);
  });

  it('lose no keys when a failover has made them one', async () => {
    const [master, replica] = await startPair();
    const proxy = await startRingproxy({
      nodes: [`pair=${master.address},${replica.address}`, `plain=${replica.address}`],
      allowLog: EXPECTED,
    });
    master.kill('SIGKILL');
    await replica.client().call('REPLICAOF', 'NO', 'ONE');
    await proxy.logged(/"ringproxy:node:failover"/);
    await expectKept(proxy, replica);
  });
});
