/**
 * A cancel is decided before anything turns: one that cannot be leaves the change as it was, and keeps no key waiting.
 *
 * Symptom: during `cancel` everybody's moved keys waited for as long as one client did not read its reply, or the disk
 * was full. Cause: the ring was turned round first, and the fence for that was tried again until it was passed.
 */
import { describe, expect, it } from 'vitest';
import type { WhichView } from '../../src/admin/api.js';
import { type GatedRelay, startGatedRelay } from '../support/gated-relay.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, post, ringOf, settled, until, untilUnderWay } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { canMount, smallDisk } from '../support/small-disk.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 6000;
/** No command on a moved key waits for longer: the fence, and what its steps may take beyond it. Milliseconds. */
const MOST_HELD_MS = 3000;
const MODES = [
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const;

interface Moving {
  readonly proxy: RingproxyProcess;
  readonly relay: GatedRelay;
  /** Keys that move, and have not yet. */
  readonly moving: readonly string[];
}

/** A node has begun to join; most keys have not moved yet, and none does by itself. */
async function moving(args: readonly string[], directory = tempFolder('state')): Promise<Moving> {
  const [first, joining] = (await startRedises(2)) as [RedisProcess, RedisProcess];
  const relay = await startGatedRelay(first.port);
  const proxy = await startRingproxy({
    nodes: [`node1=${relay.address}`],
    args: ['--state-dir', directory, ...args],
    config: 'request-timeout: 20s\n',
  });
  await fill(proxy, KEYS);
  await post(proxy, 'changes', { ...add('node2', joining), throttle: 200 });
  await until(proxy, ({ change }) => (change?.keysMoved ?? 0) > 50);
  await post(proxy, 'changes/current/pause');
  const keys = Array.from({ length: 200 }, (_, i) => `filler:${KEYS - 1 - i}`);
  const query = keys.map((key) => `key=${key}`).join('&');
  const rows = (await (await fetch(`${proxy.admin}/v1/ring/which?${query}`)).json()) as WhichView[];
  // On a busy machine, more have moved by now than were waited for: those need nothing of their first node any more.
  const left = await Promise.all(rows.map(({ key }) => first.client().exists(key)));
  const moving = rows.filter(({ nextNode }, i) => nextNode === 'node2' && left[i] === 1).map(({ key }) => key);
  expect(moving.length).toBeGreaterThan(20);
  return { proxy, relay, moving };
}

async function cancel(proxy: RingproxyProcess): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${proxy.admin}/v1/ring/changes/current/cancel`, { method: 'POST' });
  return { status: answer.status, body: await answer.json() };
}

async function expectAllValues(proxy: RingproxyProcess): Promise<void> {
  const client = await RawClient.connect(proxy.port);
  const replies = await client.pipeline(Array.from({ length: KEYS }, (_, i) => ['GET', `filler:${i}`]));
  const wrong = replies.filter((reply, i) => !String(reply).endsWith(`value of ${i}\r\n`));
  expect(wrong.map(String)).toEqual([]);
}

/** Writes keys that move, one after the other, until it is stopped. @returns the longest wait, in milliseconds */
function writer(client: RawClient, keys: readonly string[]): () => Promise<number> {
  let isStopped = false;
  const work = (async () => {
    let longest = 0;
    for (let i = 0; !isStopped; i = (i + 1) % keys.length) {
      const start = performance.now();
      const key = keys[i] ?? '';
      expect(await client.text('SET', key, `value of ${key.slice('filler:'.length)}`)).toBe('+OK\r\n');
      longest = Math.max(longest, performance.now() - start);
    }
    return longest;
  })();
  return () => {
    isStopped = true;
    return work;
  };
}

describe.each(MODES)('a cancel whose fence is not passed (%s)', (_title, args) => {
  it('leaves the change as it was, and holds no key', async () => {
    const { proxy, relay, moving: keys } = await moving(args);
    const before = await ringOf(proxy);
    const slow = await RawClient.connect(proxy.port);
    const others = await RawClient.connect(proxy.port);
    for (const client of [slow, others]) await client.command('GET', 'filler:0');
    relay.keep();
    // It is read where it has not left yet, and stays under way for as long as the relay keeps it.
    const read = slow.text('GET', keys[0] ?? '');
    await untilUnderWay(proxy);
    const turning = cancel(proxy);
    const phases = new Set<string>();
    const watching = (async () => {
      let isOver = false;
      void turning.then(() => {
        isOver = true;
      });
      while (!isOver) phases.add((await ringOf(proxy)).phase);
    })();
    expect(await turning).toMatchObject({
      status: 409,
      body: { error: { code: 'FENCE_TIMEOUT', message: expect.stringMatching(/goes on as before.*get of client/) } },
    });
    await watching;
    expect([...phases]).toEqual(['moving']);
    const after = await ringOf(proxy);
    expect(after).toMatchObject({ generation: before.generation, phase: 'moving' });
    expect(after.change).toMatchObject({ id: before.change?.id, kind: 'add', paused: true, error: null });
    relay.release();
    expect(await read).toContain('value of');
    // Where clients settle keys, and the sweep goes on, it is the change that was there before.
    const stop = writer(others, keys);
    await post(proxy, 'changes/current/resume');
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
    await settled(proxy);
    await stop();
    expect(await ringOf(proxy)).toMatchObject({ generation: before.generation + 1, phase: 'stable' });
    await expectAllValues(proxy);
  });

  it('can be tried again, and turns the change round', async () => {
    const { proxy, relay, moving: keys } = await moving(args);
    const { generation } = await ringOf(proxy);
    const slow = await RawClient.connect(proxy.port);
    await slow.command('GET', 'filler:0');
    relay.keep();
    const read = slow.text('GET', keys[0] ?? '');
    await untilUnderWay(proxy);
    expect(await cancel(proxy)).toMatchObject({ status: 409 });
    relay.release();
    await read;
    const stop = writer(await RawClient.connect(proxy.port), keys);
    expect(await cancel(proxy)).toMatchObject({ status: 200 });
    const view = await settled(proxy);
    expect(await stop()).toBeLessThan(MOST_HELD_MS);
    expect(view).toMatchObject({ generation: generation + 2, phase: 'stable' });
    expect(view.nodes.map(({ name }) => name)).toEqual(['node1']);
    await expectAllValues(proxy);
  });
});

it('holds keys for no longer than the fence takes', async () => {
  const { proxy, relay, moving: keys } = await moving([]);
  const writing = await RawClient.connect(proxy.port);
  const slow = await RawClient.connect(proxy.port);
  await slow.command('GET', 'filler:0');
  // These move when they are written: from then on they need nothing of the node that is kept.
  const moved = keys.slice(0, 20);
  await writing.pipeline(moved.map((key) => ['SET', key, `value of ${key.slice('filler:'.length)}`]));
  relay.keep();
  const read = slow.text('GET', keys.at(-1) ?? '');
  await untilUnderWay(proxy);
  const stop = writer(writing, moved);
  expect(await cancel(proxy)).toMatchObject({ status: 409 });
  const longest = await stop();
  expect(longest).toBeGreaterThan(1000);
  expect(longest).toBeLessThan(MOST_HELD_MS);
  relay.release();
  await read;
});

describe.skipIf(!canMount)('a disk that is full (as root)', () => {
  it('refuses a change before anything is held, and before a node is flushed', async () => {
    const disk = smallDisk(64);
    const [first, joining] = (await startRedises(2)) as [RedisProcess, RedisProcess];
    // The audit log is on the same disk.
    const allowLog = [/the audit log (cannot|can) be written/];
    const proxy = await startRingproxy({ nodes: [first], args: ['--state-dir', disk.folder], allowLog });
    await fill(proxy, 100);
    await joining.client().set('precious', 'x');
    disk.fill();
    const body = { ...add('node2', joining), flush: true };
    await expect(post(proxy, 'changes', body)).rejects.toThrow(/STATE_DIR.*ENOSPC/);
    expect(await ringOf(proxy)).toMatchObject({ generation: 1, phase: 'stable', change: null });
    expect(await joining.client().get('precious')).toBe('x');
    // Nothing of the attempt takes room.
    disk.makeRoom();
    await post(proxy, 'changes', body);
    expect(await settled(proxy)).toMatchObject({ generation: 2 });
  });

  it('refuses a cancel, holds no key, and the change goes on', async () => {
    const disk = smallDisk(64);
    const { proxy, moving: keys } = await moving([], disk.folder);
    const before = await ringOf(proxy);
    const stop = writer(await RawClient.connect(proxy.port), keys);
    disk.fill();
    expect(await cancel(proxy)).toMatchObject({ status: 500, body: { error: { code: 'STATE_DIR' } } });
    expect((await ringOf(proxy)).change).toMatchObject({ id: before.change?.id, paused: true, error: null });
    expect(await stop()).toBeLessThan(500);
    disk.makeRoom();
    expect(await cancel(proxy)).toMatchObject({ status: 200 });
    expect(await settled(proxy)).toMatchObject({ generation: before.generation + 2 });
    await expectAllValues(proxy);
  });
});
