/** `read-from: replica`: which reads a replica answers, how late they may be, and when the master answers instead. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { GroupsView } from '../../../../src/admin/api.js';
import { type HeldReplica, startHeldReplica } from '../../../support/held-replica.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedis } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { until } from '../../../support/sentinels.js';

const CONFIG = `
key-groups:
  soon: { prefixes: ["soon:"], read-from: replica, max-lag: 500ms }
  late: { prefixes: ["late:"], read-from: replica, max-lag: 1m }
  none: { prefixes: ["none:"] }
`;

let master: RedisProcess;
let held: HeldReplica;
let proxy: RingproxyProcess;

beforeAll(async () => {
  master = await startRedis();
  held = await startHeldReplica(master);
  const lone = await startRedis();
  proxy = await startRingproxy({
    nodes: [`a=${master.address}`, `lone=${lone.address}`],
    config: CONFIG,
    args: ['--workers', '1'],
  });
});

/** A key of the node. */
async function keyOf(node: string, prefix: string): Promise<string> {
  for (let n = 0; ; n++) {
    const answer = await fetch(`${proxy.admin}/v1/ring/which?key=${prefix}${n}`);
    const [found] = (await answer.json()) as { node: string }[];
    if (found?.node === node) return `${prefix}${n}`;
  }
}

/** How often the server has carried the command out for anybody but its master. */
async function calls(server: RedisProcess, command: string): Promise<number> {
  const stats = await server.client().info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

async function reads(group: string): Promise<Record<string, number>> {
  const view = (await (await fetch(`${proxy.admin}/v1/groups`)).json()) as GroupsView;
  return view.groups.find((one) => one.group === group)?.replicaReads ?? {};
}

async function patch(group: string, policy: object): Promise<void> {
  const answer = await fetch(`${proxy.admin}/v1/groups/${group}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(policy),
  });
  expect(answer.status).toBe(200);
}

/** Reads until a replica has answered. */
async function byReplica(client: RawClient, key: string): Promise<void> {
  const group = key.slice(0, key.indexOf(':'));
  const before = await reads(group);
  const isAnswered = async (): Promise<boolean> => {
    await client.command('GET', key);
    return ((await reads(group)).replica ?? 0) > (before.replica ?? 0);
  };
  await until(isAnswered, 5000).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify([before, await reads(group)])}`);
  });
}

describe('reads of a group with read-from: replica', () => {
  it('are answered by a replica, and others by the master', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('a', 'soon:');
    const plain = await keyOf('a', 'none:');
    await client.command('SET', key, 'v');
    await client.command('SET', plain, 'v');
    await byReplica(client, key);
    const [atReplica, atMaster] = [await calls(held.server, 'get'), await calls(master, 'get')];
    for (let n = 0; n < 20; n++) expect(await client.text('GET', key)).toBe('$1\r\nv\r\n');
    for (let n = 0; n < 20; n++) expect(await client.text('GET', plain)).toBe('$1\r\nv\r\n');
    expect((await calls(held.server, 'get')) - atReplica).toBe(20);
    expect((await calls(master, 'get')) - atMaster).toBe(20);
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(metrics).toMatch(/ringproxy_replica_reads_total\{group="soon",outcome="replica"\} [1-9]/);
    expect(metrics).toMatch(/ringproxy_node_replicas\{node="a",state="proven"\} 1/);
    expect(metrics).toMatch(/ringproxy_node_replicas\{node="lone",state="proven"\} 0/);
    expect(metrics).toMatch(/ringproxy_replica_age_seconds_count [1-9]/);
  });

  it('are answered by the master of a node without replicas', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('lone', 'soon:');
    await client.command('SET', key, 'v');
    const before = (await reads('soon')).none ?? 0;
    expect(await client.text('GET', key)).toBe('$1\r\nv\r\n');
    expect((await reads('soon')).none).toBe(before + 1);
  });

  it('are answered by the master in a transaction, behind WATCH, in scripts, to clients that track, and of several keys', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('a', 'soon:');
    await client.command('SET', key, 'v');
    await byReplica(client, key);
    const before = await calls(held.server, 'get');
    await client.pipeline([['MULTI'], ['GET', key], ['EXEC']]);
    await client.command('WATCH', key);
    expect(await client.text('GET', key)).toBe('$1\r\nv\r\n');
    await client.command('UNWATCH');
    expect(await client.text('EVAL', "return redis.call('GET', KEYS[1])", '1', key)).toBe('$1\r\nv\r\n');
    expect(await client.text('MGET', key)).toBe('*1\r\n$1\r\nv\r\n');
    const tracking = await RawClient.connect(proxy.port);
    await tracking.command('HELLO', '3');
    await tracking.command('CLIENT', 'TRACKING', 'ON');
    expect(await tracking.text('GET', key)).toBe('$1\r\nv\r\n');
    expect(await calls(held.server, 'get')).toBe(before);
    expect((await reads('soon')).client).toBeGreaterThanOrEqual(2);
  });

  it('come by the protocol and from the database of their client, with the errors of the master', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('a', 'soon:');
    await client.command('HELLO', '3');
    await client.command('SELECT', '3');
    await client.command('HSET', key, 'field', 'v');
    await byReplica(client, key);
    expect(await client.text('HGETALL', key)).toBe('%1\r\n$5\r\nfield\r\n$1\r\nv\r\n');
    await until(async () => {
      const before = await calls(held.server, 'hgetall');
      await client.command('HGETALL', key);
      return (await calls(held.server, 'hgetall')) > before;
    });
    expect(await client.text('GET', key)).toMatch(/^-WRONGTYPE /);
    await client.command('DEL', key);
  });

  it('see what was written through this process before, and are late by no more than max-lag', async () => {
    const [one, other] = [await RawClient.connect(proxy.port), await RawClient.connect(proxy.port)];
    const soon = await keyOf('a', 'soon:');
    const late = await keyOf('a', 'late:');
    for (const key of [soon, late]) {
      await one.command('SET', key, '0');
      await byReplica(other, key);
    }
    held.hold();
    try {
      // Own writes: by one command, by several keys, by a script, in a transaction.
      await one.command('SET', late, '1');
      expect(await other.text('GET', late)).toBe('$1\r\n1\r\n');
      await one.command('MSET', late, '2');
      expect(await other.text('GET', late)).toBe('$1\r\n2\r\n');
      await one.command('EVAL', "return redis.call('SET', KEYS[1], '3')", '1', late);
      expect(await other.text('GET', late)).toBe('$1\r\n3\r\n');
      await one.pipeline([['MULTI'], ['SET', late, '4'], ['EXEC']]);
      expect(await other.text('GET', late)).toBe('$1\r\n4\r\n');
      const { newer = 0 } = await reads('late');
      expect(newer).toBeGreaterThanOrEqual(4);
      // Written by somebody else.
      await master.client().set(soon, '1');
      const end = Date.now() + 500;
      let answer = await other.text('GET', soon);
      while (answer !== '$1\r\n1\r\n' && Date.now() < end) answer = await other.text('GET', soon);
      expect(await other.text('GET', soon)).toBe('$1\r\n1\r\n');
      expect((await reads('soon')).late).toBeGreaterThan(0);
    } finally {
      held.release();
    }
    await byReplica(other, soon);
    await byReplica(other, late);
  });

  // Symptom: clients read their own former values. Cause: only writes of keys of such groups were noted.
  it('see what was written before their group was one of these, where a replica is proven for another one', async () => {
    const client = await RawClient.connect(proxy.port);
    const [key, other] = [await keyOf('a', 'none:'), await keyOf('a', 'late:')];
    await client.command('SET', key, '0');
    await client.command('SET', other, '0');
    await byReplica(client, other);
    held.hold();
    try {
      await client.command('SET', key, '1');
      await patch('none', { 'read-from': 'replica', 'max-lag': '1m' });
      expect(await client.text('GET', key)).toBe('$1\r\n1\r\n');
      expect((await reads('none')).newer).toBe(1);
    } finally {
      held.release();
      await patch('none', { 'read-from': null, 'max-lag': null });
    }
    await byReplica(client, other);
  });

  it('are not overtaken by a write of their client, which would be seen by them', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('a', 'late:');
    await client.command('SET', key, '0');
    await byReplica(client, key);
    held.server.kill('SIGSTOP');
    const replies = client.pipeline([
      ['GET', key],
      ['SET', key, '1'],
      ['GET', key],
    ]);
    const answered = (await replies).map(String);
    held.server.kill('SIGCONT');
    expect(answered).toEqual(['$1\r\n0\r\n', '+OK\r\n', '$1\r\n1\r\n']);
    await byReplica(client, key);
  });

  it('are answered by the master when a replica stands still, within half a second, and from then on at once', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('a', 'late:');
    await client.command('SET', key, 'v');
    await byReplica(client, key);
    held.server.kill('SIGSTOP');
    const begun = performance.now();
    expect(await client.text('GET', key)).toBe('$1\r\nv\r\n');
    const first = performance.now() - begun;
    const again = performance.now();
    for (let n = 0; n < 100; n++) await client.command('GET', key);
    const rest = performance.now() - again;
    held.server.kill('SIGCONT');
    // Neither as long as a node has for its reply (5 s), nor half a second for each: in between a machine is busy.
    expect(first).toBeLessThan(4000);
    expect(rest).toBeLessThan(10_000);
    expect((await reads('late')).again).toBeGreaterThanOrEqual(1);
    await byReplica(client, key);
  });

  it('are answered by the master when the replica has no link, or is a master of its own', async () => {
    const client = await RawClient.connect(proxy.port);
    const key = await keyOf('a', 'late:');
    await client.command('SET', key, 'v');
    await byReplica(client, key);
    await held.server.client().call('REPLICAOF', 'NO', 'ONE');
    const unproven = async (): Promise<number> => {
      const { unproven: some = 0, none = 0 } = await reads('late');
      return some + none;
    };
    const before = await unproven();
    await until(async () => {
      await client.command('GET', key);
      return (await unproven()) > before;
    });
    await held.server.client().set(key, 'of its own');
    for (let n = 0; n < 50; n++) expect(await client.text('GET', key)).toBe('$1\r\nv\r\n');
  });

  it('are not read by a group that does not say so any more', async () => {
    await patch('late', { 'read-from': null, 'max-lag': null });
    expect(await reads('late')).toEqual({});
  });
});
