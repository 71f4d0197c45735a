/** What a change of the ring must not do when the request, or the state directory, is wrong. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RingView } from '../../src/admin/api.js';
import { freePort } from '../support/free-port.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function change(proxy: RingproxyProcess, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${proxy.admin}/v1/ring/changes`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

async function ringOf(proxy: RingproxyProcess): Promise<RingView> {
  return (await (await fetch(`${proxy.admin}/v1/ring`)).json()) as RingView;
}

async function fill(proxy: RingproxyProcess, count: number): Promise<RawClient> {
  const client = await RawClient.connect(proxy.port);
  await client.pipeline(Array.from({ length: count }, (_, i) => ['SET', `k${i}`, 'x']));
  return client;
}

/** The state directory's next write fails, also for root, as with a full disk. @returns what mends it */
function breakStateDir(directory: string): () => void {
  const inTheWay = join(directory, 'ring.json.new');
  mkdirSync(inTheWay);
  return () => rmdirSync(inTheWay);
}

function refused(code: string): object {
  return { status: 409, body: { error: { code } } };
}

describe('a server that is in the ring under another address', () => {
  // Symptom: `ring add x=localhost:7001 --flush` emptied the ring's own node 127.0.0.1:7001.
  // Cause: nodes were told apart by the text of their address alone.
  it('is neither flushed nor added', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes });
    await fill(proxy, 100);
    const [first] = nodes as [RedisProcess];
    const keys = await first.client().dbsize();
    const add = { kind: 'add', add: [{ name: 'x', address: `localhost:${first.port}` }], flush: true };
    expect(await change(proxy, add)).toMatchObject(refused('ADDRESS_TAKEN'));
    expect(await first.client().dbsize()).toBe(keys);
    expect(keys).toBeGreaterThan(0);
  });

  it('does not replace itself together with another change', async () => {
    const nodes = await startRedises(2);
    const proxy = await startRingproxy({ nodes });
    const replace = [{ name: 'node1', address: `localhost:${nodes[0]?.port}` }];
    const request = { kind: 'apply', replace, weights: [{ name: 'node2', weight: 2 }], flush: true };
    expect(await change(proxy, request)).toMatchObject(refused('READDRESSED'));
  });

  it('does not join twice in one change', async () => {
    const { port, address } = await startRedis();
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    const add = [
      { name: 'a', address },
      { name: 'b', address: `localhost:${port}` },
    ];
    expect(await change(proxy, { kind: 'add', add })).toMatchObject(refused('ADDRESS_TAKEN'));
  });
});

describe('a change that is refused', () => {
  // Symptom: a node was emptied although its change was refused. Cause: each node was flushed before the next was seen.
  it('flushes none of its nodes', async () => {
    const full = await startRedis();
    const proxy = await startRingproxy({ nodes: await startRedises(1) });
    await full.client().set('precious', 'x');
    const add = [
      { name: 'full', address: full.address },
      { name: 'absent', address: `127.0.0.1:${await freePort()}` },
    ];
    expect(await change(proxy, { kind: 'add', add, flush: true })).toMatchObject(refused('NODE_UNREACHABLE'));
    expect(await full.client().dbsize()).toBe(1);
  });
});

describe('a state directory that cannot be written', () => {
  // Symptom: commands on moved keys were held for good, and every later change was refused as CHANGE_RUNNING.
  // Cause: that keys move was recorded outside of what gives a change up.
  it('gives up a change before anything moves, and clients go on', async () => {
    const directory = tempFolder('state');
    const second = await startRedis();
    const proxy = await startRingproxy({ nodes: await startRedises(1), args: ['--state-dir', directory] });
    const client = await fill(proxy, 100);
    const add = { kind: 'add', add: [{ name: 'second', address: second.address }] };
    const mend = breakStateDir(directory);
    expect(await change(proxy, add)).toMatchObject({ status: 500, body: { error: { code: 'STATE_DIR' } } });
    expect(await ringOf(proxy)).toMatchObject({ generation: 1, phase: 'stable', change: null });
    const replies = await client.pipeline(Array.from({ length: 100 }, (_, i) => ['GET', `k${i}`]));
    expect(replies.filter((reply) => String(reply) === '$1\r\nx\r\n')).toHaveLength(100);
    mend();
    expect(await change(proxy, add)).toMatchObject({ status: 200, body: { generation: 2 } });
  });

  // Symptom: the proxy died with an unhandled rejection. Cause: nobody awaited the end of a change.
  it('holds up the end of a change, and clients go on', async () => {
    const directory = tempFolder('state');
    const second = await startRedis();
    const proxy = await startRingproxy({
      nodes: await startRedises(1),
      args: ['--state-dir', directory],
      allowLog: [/not recorded yet/],
    });
    const client = await fill(proxy, 20_000);
    await change(proxy, { kind: 'add', add: [{ name: 'second', address: second.address }] });
    const mend = breakStateDir(directory);
    await proxy.logged(/not recorded yet/);
    expect(await ringOf(proxy)).toMatchObject({
      phase: 'moving',
      change: { error: expect.stringContaining('EISDIR') },
    });
    const replies = await client.pipeline(Array.from({ length: 1000 }, (_, i) => ['GET', `k${i}`]));
    expect(replies.filter((reply) => String(reply) === '$1\r\nx\r\n')).toHaveLength(1000);
    const cancel = await fetch(`${proxy.admin}/v1/ring/changes/current/cancel`, { method: 'POST' });
    expect({ status: cancel.status, body: await cancel.json() }).toMatchObject(refused('CANNOT_CANCEL'));
    mend();
    await expect.poll(() => ringOf(proxy)).toMatchObject({ generation: 2, phase: 'stable', change: null });
  });
});
