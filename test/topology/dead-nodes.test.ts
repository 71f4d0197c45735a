/**
 * Changes of the ring while one of its nodes is dead. Symptom: none was possible, and a dry run told nothing but that the
 * node refuses connections. Cause: the largest keys were looked for on it, and it was asked to drop connections that had
 * ended with commands in flight, although nobody listens there any more.
 */
import { describe, expect, it } from 'vitest';
import type { ChangeAccepted } from '../../src/admin/api.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const KEYS = 2000;
/** A node that is dead is soon known to be. */
const SOON = { RINGPROXY_PROBE_INTERVAL: '100ms' };

interface Scene {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly RedisProcess[];
  readonly spare: RedisProcess;
}

/** Three nodes with keys, of which node2 has died with commands in flight, and a server that is in no ring. */
async function start(args: readonly string[] = []): Promise<Scene> {
  const all = await startRedises(4);
  const [spare, ...nodes] = all.reverse();
  if (spare === undefined) throw new Error('there are four');
  const proxy = await startRingproxy({ nodes, args, env: SOON, allowLog: [/node2/] });
  await fill(proxy, KEYS);
  // Commands that wait at each node: some are in flight at the one that dies.
  for (let i = 0; i < 20; i++) {
    const client = await RawClient.connect(proxy.port);
    client.send(`BLPOP list:${i} 0\r\n`);
  }
  const watcher = await RawClient.connect(nodes[1]?.port ?? 0);
  await expect.poll(() => watcher.text('INFO', 'clients')).not.toContain('blocked_clients:0');
  await nodes[1]?.stop();
  await until(proxy, (view) => view.nodes[1]?.state === 'down');
  return { proxy, nodes, spare };
}

async function look(proxy: RingproxyProcess, body: object): Promise<ChangeAccepted> {
  const answer = await fetch(`${proxy.admin}/v1/ring/changes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, dryRun: true }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as ChangeAccepted;
}

const replace = (name: string, node: RedisProcess): object => ({
  kind: 'replace',
  replace: [{ name, address: node.address }],
});

it('a node that has just died, and does not count as down yet, keeps nobody from looking', async () => {
  const nodes = await startRedises(3);
  const env = { RINGPROXY_PROBE_INTERVAL: '1h', RINGPROXY_PRECONNECT: 'false' };
  const proxy = await startRingproxy({ nodes, env, allowLog: [/node2/] });
  await nodes[1]?.stop();
  for (const body of [
    { kind: 'remove', remove: ['node1'] },
    { kind: 'remove', remove: ['node1'], noDrain: true },
    { kind: 'reweight', weights: [{ name: 'node1', weight: 3 }] },
  ]) {
    expect((await look(proxy, body)).warnings.join('\n')).toContain('node2');
  }
});

describe('while a node is dead', () => {
  it('every change can be looked at, with what helps; what would go to it is refused', async () => {
    const { proxy, spare } = await start();
    const gone = { kind: 'remove', remove: ['node2'] };
    expect((await look(proxy, { ...gone, noDrain: true })).warnings).toEqual([
      'the keys of node2 are given up: they will read as missing',
    ]);
    expect((await look(proxy, gone)).warnings[0]).toMatch(
      /^node2 .* is down .*if it is gone, ask for this with --no-drain/,
    );
    const added = await look(proxy, add('node4', spare));
    expect(added.warnings[0]).toMatch(/^node2 .* waits until it answers; .*: ringproxy ring remove node2 --no-drain$/);
    expect(added.survey).toMatchObject({ complete: false });
    expect(added.survey?.keys).toBeGreaterThan(0);
    expect((await look(proxy, replace('node1', spare))).warnings).toEqual([]);
    const heavier = { kind: 'reweight', weights: [{ name: 'node2', weight: 3 }] };
    const [warning] = (await look(proxy, heavier)).warnings;
    expect(warning).toMatch(/^this would be refused: node2 .*ring remove node2 --no-drain$/);
    await expect(post(proxy, 'changes', heavier)).rejects.toThrow(/NODE_UNREACHABLE.*ring remove node2 --no-drain/);
    expect((await ringOf(proxy)).generation).toBe(1);
  });

  it('it is taken out, or another server takes its place, without its keys', async () => {
    const { proxy, nodes, spare } = await start();
    const left = (await nodes[0]?.client().dbsize()) ?? 0;
    await post(proxy, 'changes', { ...replace('node2', spare), noDrain: true });
    const view = await settled(proxy);
    expect(view.nodes.map(({ name, address }) => [name, address])).toContainEqual(['node2', spare.address]);
    const client = proxy.client();
    for (let i = 0; i < 200; i++) await client.set(`new:${i}`, 'x');
    expect(await spare.client().dbsize()).toBeGreaterThan(20);
    // Nothing of the others has moved.
    expect(await nodes[0]?.client().dbsize()).toBeGreaterThanOrEqual(left);
    await spare.stop();
    await until(proxy, ({ nodes: now }) => now.some(({ state }) => state === 'down'));
    await post(proxy, 'changes', { kind: 'remove', remove: ['node2'], noDrain: true });
    expect((await settled(proxy)).nodes).toHaveLength(2);
    expect(await client.set('again', 'x')).toBe('OK');
  });

  it('another node is replaced with all of its keys, also with workers', async () => {
    const { proxy, nodes, spare } = await start(['--workers', '2']);
    const held = (await nodes[0]?.client().dbsize()) ?? 0;
    await post(proxy, 'changes', replace('node1', spare));
    await settled(proxy);
    expect(await spare.client().dbsize()).toBe(held);
  });

  it('a node joins: the others hand their keys over, and those of the dead one are given up', async () => {
    const { proxy, spare } = await start();
    await post(proxy, 'changes', add('node4', spare));
    await until(proxy, (view) => view.change?.sources.filter(({ done }) => done).length === 2);
    expect((await ringOf(proxy)).change?.error).toContain('node2');
    await post(proxy, 'changes/current/resume', { noDrain: true });
    await settled(proxy);
    expect(await spare.client().dbsize()).toBeGreaterThan(KEYS / 10);
  });

  // Symptom: the keys of a node that was well would have been given up, since the server that was to take its place was down.
  it('one that dies as it takes the place of another: the keys of that one are not given up', async () => {
    const [first, second, spare] = await startRedises(3);
    if (first === undefined || second === undefined || spare === undefined) throw new Error('there are three');
    const proxy = await startRingproxy({ nodes: [first, second], env: SOON, allowLog: [/node1/] });
    await fill(proxy, KEYS);
    await post(proxy, 'changes', { ...replace('node1', spare), throttle: 50 });
    await until(proxy, (view) => (view.change?.keysMoved ?? 0) > 0);
    await spare.stop();
    await until(proxy, ({ nodes }) => nodes.some(({ address, error }) => address === spare.address && error !== null));
    await expect(post(proxy, 'changes/current/resume', { noDrain: true })).rejects.toThrow(/NOTHING_TO_GIVE_UP/);
  });
});
