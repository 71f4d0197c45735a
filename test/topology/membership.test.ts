/** The admin API and the ring behind it, on a real proxy with real nodes. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RingView } from '../../src/admin/api.js';
import { freePort } from '../support/free-port.js';
import { RawClient } from '../support/raw-client.js';
import { startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

async function call(
  proxy: RingproxyProcess,
  path: string,
  body?: object,
  token = '',
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${proxy.admin}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Waits until no change is under way. */
async function settled(proxy: RingproxyProcess): Promise<void> {
  while (((await call(proxy, '/v1/ring')).body as RingView).change !== null)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('adding and removing nodes', () => {
  // Symptom: who looked at what would move was told that a change is under way, when somebody else was looking, too.
  it('takes several dry runs at a time, and a change meanwhile', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 500; i++) await client.command('SET', `k${i}`, 'v');
    const remove = { kind: 'remove', remove: ['node3'] };
    const look = (): Promise<{ status: number }> => call(proxy, '/v1/ring/changes', { ...remove, dryRun: true });
    const answers = await Promise.all([look(), look(), call(proxy, '/v1/ring/changes', remove)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await settled(proxy);
    expect(await client.text('DBSIZE')).toBe(':500\r\n');
  });

  it('moves keys to the new node, and off it again', async () => {
    const nodes = await startRedises(3);
    const fourth = await startRedis();
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 200; i++) await client.command('SET', `k${i}`, `v${i}`);
    const added = await call(proxy, '/v1/ring/changes', {
      kind: 'add',
      add: [{ name: 'node4', address: fourth.address }],
    });
    expect(added).toMatchObject({
      status: 200,
      body: { generation: 2, dryRun: false, warnings: [] },
    });
    await settled(proxy);
    for (let i = 0; i < 200; i++) expect(await client.text('GET', `k${i}`)).toContain(`v${i}`);
    expect(await fourth.client().dbsize()).toBeGreaterThan(20);
    const ring = (await call(proxy, '/v1/ring')).body as RingView;
    expect(ring.nodes.map((node) => node.name)).toEqual(['node1', 'node2', 'node3', 'node4']);
    expect(ring.nodes.reduce((sum, node) => sum + node.share, 0)).toBeCloseTo(1, 9);
    await call(proxy, '/v1/ring/changes', { kind: 'remove', remove: ['node4'] });
    await settled(proxy);
    expect(await fourth.client().dbsize()).toBe(0);
    expect(await client.text('DBSIZE')).toBe(':200\r\n');
    expect((await call(proxy, '/v1/ring/history')).body).toMatchObject([
      { kind: 'bootstrap', generation: 1 },
      { kind: 'add', generation: 2 },
      { kind: 'remove', generation: 3 },
    ]);
  });

  it('is refused with a reason where it would do harm', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes });
    const [full, replica, cluster] = await Promise.all([
      startRedis(),
      startRedis({ args: ['--replicaof', '127.0.0.1', String(nodes[0]?.port)] }),
      startRedis({ args: ['--cluster-enabled', 'yes'] }),
    ]);
    await full.client().set('stale', 'x');
    const add = (name: string, address: string): Promise<{ status: number; body: unknown }> =>
      call(proxy, '/v1/ring/changes', { kind: 'add', add: [{ name, address }] });
    const code = (expected: string): object => ({
      body: { error: { code: expected, hint: expect.stringMatching(/./) } },
    });
    expect(await add('node1', full.address)).toMatchObject(code('NAME_TAKEN'));
    expect(await add('x', nodes[0]?.address ?? '')).toMatchObject(code('ADDRESS_TAKEN'));
    expect(await add('x', full.address)).toMatchObject(code('NODE_NOT_EMPTY'));
    expect(await add('x', replica.address)).toMatchObject(code('NODE_IS_REPLICA'));
    expect(await add('x', cluster.address)).toMatchObject(code('NODE_IS_CLUSTER'));
    expect(await add('x', `127.0.0.1:${await freePort()}`)).toMatchObject(code('NODE_UNREACHABLE'));
    expect(await add('x', 'nonsense')).toMatchObject(code('BAD_ADDRESS'));
    const remove = (...names: string[]): Promise<{ status: number; body: unknown }> =>
      call(proxy, '/v1/ring/changes', { kind: 'remove', remove: names });
    expect(await remove('nope')).toMatchObject(code('UNKNOWN_NODE'));
    expect(await remove('node1', 'node2')).toMatchObject(code('RING_EMPTY'));
    expect(await call(proxy, '/v1/ring/changes', { kind: 'add' })).toMatchObject({
      status: 400,
      ...code('BAD_REQUEST'),
    });
    expect(await call(proxy, '/v1/ring/changes', { kind: 'explode' })).toMatchObject({
      status: 400,
      ...code('BAD_REQUEST'),
    });
    expect(await call(proxy, '/v1/nope')).toMatchObject({ status: 404, ...code('NOT_FOUND') });
    expect(((await call(proxy, '/v1/ring')).body as RingView).generation).toBe(1);
  });

  it('gives up the keys of a node that is gone, and refuses to drain it', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes, allowLog: [/upstream:down/, /node:health/, /given up/, /is paused/] });
    const client = await RawClient.connect(proxy.port);
    for (let i = 0; i < 100; i++) await client.command('SET', `k${i}`, 'x');
    const kept = (await nodes[0]?.client().dbsize()) ?? 0;
    await nodes[2]?.stop();
    await call(proxy, '/v1/ring/changes', { kind: 'remove', remove: ['node3'], noDrain: true });
    await settled(proxy);
    const replies = await client.pipeline(Array.from({ length: 100 }, (_, i) => ['GET', `k${i}`]));
    const found = replies.filter((reply) => String(reply) === '$1\r\nx\r\n').length;
    expect(found).toBeGreaterThanOrEqual(kept);
    expect(replies.filter((reply) => String(reply) === '$-1\r\n')).toHaveLength(100 - found);
  });

  it('empties a node that holds keys when it is asked to', async () => {
    const nodes = await startRedises(1);
    const full = await startRedis();
    await full.client().set('stale', 'x');
    const proxy = await startRingproxy({ nodes });
    const body = { kind: 'add', add: [{ name: 'n2', address: full.address }], flush: true };
    await call(proxy, '/v1/ring/changes', { ...body, dryRun: true });
    expect(await full.client().dbsize()).toBe(1);
    expect(await call(proxy, '/v1/ring/changes', body)).toMatchObject({ status: 200 });
    expect(await full.client().dbsize()).toBe(0);
  });
});

describe('the state directory', () => {
  it('keeps the ring over kill -9, and wins over the configuration', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringproxy-state-'));
    const nodes = await startRedises(2);
    const fourth = await startRedis();
    const first = await startRingproxy({ nodes, args: ['--state-dir', directory] });
    await call(first, '/v1/ring/changes', { kind: 'add', add: [{ name: 'late', address: fourth.address }] });
    await settled(first);
    first.kill('SIGKILL');
    const stranger = `127.0.0.1:${await freePort()}`;
    const again = await startRingproxy({
      nodes: [...nodes, `stranger=${stranger}`],
      args: ['--state-dir', directory],
      allowLog: [/the ring that exists wins/],
    });
    const ring = (await call(again, '/v1/ring')).body as RingView;
    expect(ring).toMatchObject({ generation: 2, nodes: [{ name: 'node1' }, { name: 'node2' }, { name: 'late' }] });
    expect(again.log.map((line) => line.msg).join('\n')).toContain(`node stranger (${stranger}) is not in the ring`);
    await expect(startRingproxy({ nodes, args: ['--state-dir', directory] })).rejects.toThrow(
      /is in use by the process/,
    );
    await again.stop();
    writeFileSync(join(directory, 'ring.json'), readFileSync(join(directory, 'ring.json'), 'utf8').slice(0, 40));
    await expect(startRingproxy({ nodes, args: ['--state-dir', directory] })).rejects.toThrow(/does not hold a ring/);
  });
});

describe('the admin API', () => {
  it('asks for its token, and not at /healthz', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({ nodes, config: 'admin-token: hunter2\n' });
    expect(await call(proxy, '/v1/ring')).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(await call(proxy, '/v1/ring', undefined, 'wrong')).toMatchObject({ status: 401 });
    expect(await call(proxy, '/v1/ring', undefined, 'hunter2')).toMatchObject({ status: 200 });
    expect(await call(proxy, '/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await call(proxy, '/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
  });

  it('says where keys are, also binary ones, as the nodes have them', async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    const key = Buffer.from([0xff, 0x00, 0x26, 0x25]);
    await client.command('SET', key, 'x');
    const found = (await call(proxy, '/v1/ring/which?key=%ff%00%26%25&key=a+b')).body as {
      node: string;
      address: string;
    }[];
    expect(found).toHaveLength(2);
    const owner = nodes[Number(found[0]?.node.slice(4)) - 1];
    expect(found[0]?.address).toBe(owner?.address);
    expect(await owner?.client().exists(key)).toBe(1);
    expect(await call(proxy, '/v1/ring/which')).toMatchObject({ status: 400, body: { error: { code: 'NO_KEY' } } });
  });

  it('shows statistics and metrics that agree with what was sent', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(proxy.port);
    await client.pipeline(Array.from({ length: 300 }, (_, i) => ['SET', `m${i}`, 'x']));
    await client.pipeline(Array.from({ length: 400 }, (_, i) => ['GET', `m${i}`]));
    await client.command('NOSUCH');
    const stats = (await call(proxy, '/v1/stats')).body;
    expect(stats).toMatchObject({ clients: 1, commands: 701, errors: 1, hits: 300, misses: 100 });
    const text = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(text).toContain('ringproxy_commands_total{command="get",outcome="ok"} 400\n');
    expect(text).toContain('ringproxy_commands_total{command="unknown",outcome="error"} 1\n');
    expect(text).toContain('ringproxy_cache_requests_total{result="miss"} 100\n');
    expect(text).toContain('ringproxy_command_duration_seconds_count{command="set"} 300\n');
    expect(text).toMatch(/ringproxy_ring_share\{node="node1"\} 0\.[45]/);
  });

  it('refuses a request under a foreign host name', async () => {
    const nodes = await startRedises(1);
    const proxy = await startRingproxy({ nodes });
    const client = await RawClient.connect(Number(new URL(proxy.admin).port));
    client.socket.removeAllListeners('data');
    const answer = new Promise<string>((resolve) =>
      client.socket.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    client.send('GET /v1/ring HTTP/1.1\r\nHost: evil.example\r\n\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 403 /);
  });
});
