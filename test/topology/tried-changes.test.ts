/** Changes that begin slow, and changes that are only tried, on real nodes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChangeAccepted } from '../../src/admin/api.js';
import { startRedises } from '../support/redis-process.js';
import { add, fill, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 20_000;

async function preview(proxy: RingproxyProcess, path: string, body: object): Promise<ChangeAccepted> {
  const answer = await fetch(`${proxy.admin}/v1/ring/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, dryRun: true }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as ChangeAccepted;
}

async function keysMoved(proxy: RingproxyProcess): Promise<number> {
  return (await ringOf(proxy)).change?.keysMoved ?? KEYS;
}

describe('the throttle of a change', () => {
  /*
   * Symptom: thousands of keys had moved before `ring throttle` could be called.
   * Cause: a change began at full speed.
   */
  it('holds from the first key on, after a restart, and while it is cancelled', { timeout: 60_000 }, async () => {
    const nodes = await startRedises(3);
    const state = tempFolder('state');
    const args = ['--state-dir', state];
    const first = await startRingproxy({ nodes: nodes.slice(0, 2), args });
    await fill(first, KEYS);
    const start = performance.now();
    await post(first, 'changes', { ...add('node3', nodes[2]), throttle: 200 });
    await until(first, (view) => view.change?.phase === 'moving' && view.change.keysMoved > 0);
    const moved = await keysMoved(first);
    // What a batch of each source may be ahead.
    expect(moved).toBeLessThanOrEqual((200 * (performance.now() - start)) / 1000 + 40);
    expect((await ringOf(first)).change?.throttle).toBe(200);
    await post(first, 'changes/current/throttle', { keysPerSecond: 50 });
    const kept = (): unknown => JSON.parse(readFileSync(join(state, 'ring.json'), 'utf8')).change?.throttle;
    await expect.poll(kept).toBe(50);
    first.kill('SIGKILL');
    await first.child.exited;
    const second = await startRingproxy({ nodes: nodes.slice(0, 2), args, allowLog: [/wins over the configuration/] });
    await until(second, (view) => (view.change?.sources.length ?? 0) > 0);
    expect((await ringOf(second)).change?.throttle).toBe(50);
    // Until the nodes have dropped what the killed one has left, there is nothing to be turned round yet.
    const cancel = (): Promise<unknown> => post(second, 'changes/current/cancel').then(() => 'done', String);
    await expect.poll(cancel, { timeout: 10_000 }).not.toContain('CHANGE_PREPARING');
    expect((await ringOf(second)).change).toMatchObject({ kind: 'cancel', throttle: 50 });
    await post(second, 'changes/current/throttle', { keysPerSecond: 0 });
    await settled(second);
    expect(await second.client().dbsize()).toBe(KEYS);
  });
});

describe('a change that a crash of the proxy interrupted', () => {
  // Symptom: after a restart keys moved, and the log did not say that this was an earlier change going on.
  it('is told of by the proxy that goes on with it', { timeout: 60_000 }, async () => {
    const nodes = await startRedises(2);
    const args = ['--state-dir', tempFolder('state')];
    const first = await startRingproxy({ nodes: nodes.slice(0, 1), args });
    await fill(first, 1000);
    await post(first, 'changes', { ...add('node2', nodes[1]), throttle: 100 });
    await until(first, (view) => view.change?.phase === 'moving');
    first.kill('SIGKILL');
    await first.child.exited;
    const second = await startRingproxy({ nodes: nodes.slice(0, 1), args, allowLog: [/wins over the configuration/] });
    const told = second.log.filter(({ msg }) => msg.startsWith('resuming the change that was under way: '));
    expect(told).toMatchObject([{ level: 30, msg: expect.stringContaining('node2') }]);
  });
});

describe('a dry run', () => {
  it('of every kind changes nothing, a cancel among them', { timeout: 60_000 }, async () => {
    const nodes = await startRedises(4);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3) });
    await fill(proxy, 2000);
    const other = nodes[3]?.address ?? '';
    const before = await ringOf(proxy);
    for (const body of [
      add('node4', nodes[3]),
      { kind: 'remove', remove: ['node1'] },
      { kind: 'reweight', weights: [{ name: 'node1', weight: 3 }] },
      { kind: 'replace', replace: [{ name: 'node1', address: other }] },
      {
        kind: 'apply',
        remove: ['node1'],
        add: [{ name: 'x', address: other }],
        weights: [{ name: 'node2', weight: 2 }],
      },
    ]) {
      const plan = await preview(proxy, 'changes', { ...body, throttle: 10 });
      expect(plan).toMatchObject({ dryRun: true, generation: 2 });
      expect(plan.moves.length).toBeGreaterThan(0);
    }
    expect(await ringOf(proxy)).toMatchObject({
      generation: 1,
      change: null,
      nodes: before.nodes.map(({ name }) => ({ name })),
    });
    await expect(preview(proxy, 'changes/current/cancel', {})).rejects.toThrow('NO_CHANGE');
    await post(proxy, 'changes', { ...add('node4', nodes[3]), throttle: 20 });
    await until(proxy, (view) => (view.change?.sources.length ?? 0) > 0);
    const plan = await preview(proxy, 'changes/current/cancel', {});
    expect(new Set(plan.moves.map(({ source }) => source))).toEqual(new Set(['node4']));
    expect((await ringOf(proxy)).change).toMatchObject({ kind: 'add' });
    await post(proxy, 'changes/current/cancel');
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 }).catch(() => {});
    expect((await settled(proxy)).generation).toBe(plan.generation);
  });
});

describe('a channel of events that is none', () => {
  // Symptom: 500 or an empty stream. Cause: names that every object has were taken for channels.
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
    'is an error with a hint: %s',
    async (name) => {
      const [node] = await startRedises(1);
      const proxy = await startRingproxy({ nodes: node === undefined ? [] : [node] });
      const answer = await fetch(`${proxy.admin}/v1/events?channel=${name}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: { code: 'NO_CHANNEL', hint: expect.stringContaining('there are') },
      });
    },
  );
});

describe('a node whose name every object has', () => {
  // Symptom: workers did not give it the password. Cause: its access was looked up among what every object has.
  it('joins, and serves its keys', async () => {
    const nodes = await startRedises(2, { args: ['--requirepass', 'secret'] });
    const args = ['--workers', '2'];
    const env = { RINGPROXY_NODE_PASSWORD: 'secret' };
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), args, env });
    await fill(proxy, 500);
    await post(proxy, 'changes', add('constructor', nodes[1]));
    const { nodes: members } = await settled(proxy);
    expect(members.map(({ name }) => name)).toEqual(['node1', 'constructor']);
    const keys = Array.from({ length: 500 }, (_, i) => `filler:${i}`);
    expect(await proxy.client().mget(keys)).toEqual(keys.map((_, i) => `value of ${i}`));
  });
});
