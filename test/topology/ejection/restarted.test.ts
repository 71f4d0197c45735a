/**
 * A node that is killed and started again at once, before anybody takes it for failed, has read what its disk has: values
 * that were written over since. Symptom where it serves as it is: clients read what is older than what was acknowledged.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FreshnessChecker } from '../../consistency/freshness.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { add, fill, fillers, ownersOf, post, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { tempFolder } from '../../support/temp-folder.js';

const CONFIG = `
on-node-failure: eject
eject-after: 1h
connect-timeout: 5s
request-timeout: 10s
probe-interval: 50ms
probe-timeout: 5s
reconnect-backoff-max: 50ms
`;
const EXPECTED = [/node\d/, /upstream/];
const MOVED = 6000;
const EMPTIED = /which was restarted, was emptied/;

interface Scene {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly RedisProcess[];
  readonly node: RedisProcess;
  readonly folder: string;
}

async function start(args: readonly string[], more = ''): Promise<Scene> {
  const nodes = await startRedises(3);
  const [, node] = nodes as [RedisProcess, RedisProcess];
  const folder = tempFolder('state');
  return { proxy: await serve(folder, nodes, args, more), nodes, node, folder };
}

function serve(
  folder: string,
  nodes: readonly RedisProcess[],
  args: readonly string[] = [],
  more = '',
): Promise<RingproxyProcess> {
  const config = `${CONFIG}${more}`;
  return startRingproxy({ nodes, args: ['--state-dir', folder, ...args], config, allowLog: EXPECTED });
}

/** From when on a restart is noticed: some moments behind the start. */
async function recorded(folder: string): Promise<void> {
  const known = () => readFileSync(join(folder, 'ring.json'), 'utf8').match(/"runId"/g)?.length ?? 0;
  await expect.poll(known, { timeout: 20_000 }).toBe(3);
}

function check(proxy: RingproxyProcess): FreshnessChecker {
  const checker = new FreshnessChecker({ proxies: () => [proxy, proxy], keys: 60, patience: 20_000 });
  checker.start();
  return checker;
}

/** What its snapshot has is written over before it is killed. */
async function restartFromOldSnapshot({ proxy, node }: Scene, checker: FreshnessChecker): Promise<void> {
  const owners = await ownersOf(proxy, checker.names);
  await checker.settle('all keys');
  await node.client().save();
  await checker.settle('all keys');
  checker.mayLose(checker.names.filter((_name, i) => owners[i] === node.address));
  await node.restart();
}

const timesEmptied = (proxy: RingproxyProcess): number => proxy.log.filter(({ msg }) => EMPTIED.test(msg)).length;

describe('a node that was restarted', () => {
  it.each([{ args: [] }, { args: ['--workers', '2'] }])(
    'is emptied before it serves, over and over ($args)',
    async ({ args }) => {
      const scene = await start(args);
      const { proxy, node } = scene;
      const checker = check(proxy);
      await recorded(scene.folder);
      for (let round = 1; round <= 2; round++) {
        await restartFromOldSnapshot(scene, checker);
        await expect.poll(() => timesEmptied(proxy), { timeout: 20_000 }).toBe(round);
        await checker.settle('all keys');
      }
      await checker.stop();
      expect(checker.violations).toEqual([]);
      expect(checker.lost).toBeGreaterThan(0);
      const { generation, nodes } = await until(proxy, (view) => view.nodes.every(({ state }) => state === 'active'));
      expect([generation, nodes.map(({ reason }) => reason)]).toEqual([1, [null, null, null]]);
      // Nor does it have any of it at its next start.
      await node.restart();
      expect(await node.client().dbsize()).toBe(0);
    },
  );

  it('serves what it has where that is wanted, which the check of the others would see', async () => {
    const scene = await start([], 'on-node-restart: keep\n');
    const checker = check(scene.proxy);
    await restartFromOldSnapshot(scene, checker);
    await expect.poll(() => checker.violations.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await checker.stop();
    expect(timesEmptied(scene.proxy)).toBe(0);
  });

  it('together with all others and the proxy is emptied as well: which processes served stands with the ring', async () => {
    const { proxy, nodes, folder } = await start([]);
    const keys = fillers(60);
    const client = proxy.client();
    for (const key of keys) await client.set(key, 'old');
    await recorded(folder);
    for (const node of nodes) await node.client().save();
    for (const key of keys) await client.set(key, 'new');
    await proxy.child.kill();
    for (const node of nodes) await node.restart();
    const next = await serve(folder, nodes);
    const raw = await RawClient.connect(next.port);
    await expect.poll(() => raw.text('GET', keys[0] ?? ''), { timeout: 20_000 }).toBe('$-1\r\n');
    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          const replies = await raw.pipeline(keys.map((key) => ['GET', key]));
          for (const reply of replies) seen.add(reply.toString().replace(/^-NODEDOWN node \S+ \(\S+\) /, '-'));
          return replies.every((reply) => reply.toString() === '$-1\r\n');
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    expect([...seen].filter((reply) => !/^(?:-was restarted|\$-1)/.test(reply))).toEqual([]);
    raw.close();
  });

  it.each(['source', 'target'])(
    'is emptied while keys move, where it is their %s, and the change goes on',
    async (part) => {
      const [a, b, c] = (await startRedises(3)) as [RedisProcess, RedisProcess, RedisProcess];
      const folder = tempFolder('state');
      const proxy = await serve(folder, [a, b], [], 'min-nodes: 1\n');
      await fill(proxy, MOVED);
      const known = () => readFileSync(join(folder, 'ring.json'), 'utf8').match(/"runId"/g)?.length ?? 0;
      await expect.poll(known, { timeout: 20_000 }).toBe(2);
      await post(proxy, 'changes', add('node3', c));
      await post(proxy, 'changes/current/throttle', { keysPerSecond: 300 });
      await until(proxy, (view) => (view.change?.keysMoved ?? 0) > 100);
      const node = part === 'source' ? b : c;
      await node.client().save();
      await node.restart();
      await expect.poll(() => timesEmptied(proxy), { timeout: 20_000 }).toBe(1);
      const { change } = await until(proxy, () => true);
      expect(change?.phase).toBe('moving');
      await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
      for (;;) {
        const { change: now } = await until(proxy, () => true);
        if (now === null) break;
        if (now.paused) await post(proxy, 'changes/current/resume').catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const client = proxy.client();
      const values = await client.mget(fillers(MOVED));
      const left = values.filter((value) => value !== null).length;
      expect(left).toBeGreaterThan(MOVED * 0.3);
      expect(left).toBeLessThan(MOVED);
    },
  );
});
