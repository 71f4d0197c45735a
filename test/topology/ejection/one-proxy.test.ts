/**
 * A node that fails leaves the ring by itself, and comes back empty. Symptom of those that leave the emptying out
 * (twemproxy's auto_eject_hosts, its most repeated complaint): after its return a node serves what it had before.
 */
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../../src/admin/api.js';
import { COUNTED, Counting } from '../../consistency/counting.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { fill, ownersOf, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

const KEYS = 300;
const CONFIG = `${COUNTED}
on-node-failure: eject
eject-after: 300ms
rejoin-after: 200ms
connect-timeout: 5s
request-timeout: 10s
probe-interval: 100ms
probe-timeout: 1s
probe-failures: 2
`;
const EXPECTED = [/node2/, /upstream/, /eject/];

interface Scene {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly RedisProcess[];
  /** That dies. */
  readonly node: RedisProcess;
  /** Keys that it had. */
  readonly lost: readonly string[];
}

async function start(args: readonly string[] = [], nodeArgs: readonly string[] = []): Promise<Scene> {
  const nodes = await startRedises(3, { args: nodeArgs });
  const [, node] = nodes;
  if (node === undefined) throw new Error('there are three');
  const proxy = await startRingproxy({ nodes, args, config: CONFIG, allowLog: EXPECTED });
  await fill(proxy, KEYS);
  const keys = Array.from({ length: KEYS }, (_, i) => `filler:${i}`);
  const owners = await ownersOf(proxy, keys);
  return { proxy, nodes, node, lost: keys.filter((_key, i) => owners[i] === node.address) };
}

const isOut = (scene: Scene) =>
  until(scene.proxy, ({ nodes, change }) => change === null && nodes.some(({ state }) => state === 'ejected'));
const isBack = (scene: Scene) =>
  until(
    scene.proxy,
    ({ nodes, change }) => change === null && nodes.length === 3 && nodes.every(({ state }) => state === 'active'),
  );

/** Clients that read these keys, and some that write them in transactions, all the time. @returns what ends them, with all errors and kinds of replies */
async function beBusy(proxy: RingproxyProcess, keys: readonly string[]): Promise<{ stop(): Promise<string[]> }> {
  const replies = new Set<string>();
  let isOver = false;
  const run = async (index: number): Promise<void> => {
    const client = await RawClient.connect(proxy.port);
    for (let i = index; !isOver; i++) {
      const key = keys[i % keys.length] ?? '';
      const commands = [['GET', key]];
      if (index % 4 === 0) commands.push(['WATCH', key], ['MULTI'], ['GET', key], ['EXEC']);
      for (const command of commands) {
        const reply = await client.text(...command);
        replies.add(reply.startsWith('-') ? reply : reply.slice(0, 1));
      }
    }
    client.close();
  };
  const all = Promise.all(Array.from({ length: 40 }, (_, index) => run(index)));
  return {
    async stop() {
      isOver = true;
      await all;
      return [...replies];
    },
  };
}

async function historyOf(proxy: RingproxyProcess): Promise<HistoryEntry[]> {
  return (await (await fetch(`${proxy.admin}/v1/ring/history`)).json()) as HistoryEntry[];
}

describe('a node that fails', () => {
  it.each([{ args: [] }, { args: ['--workers', '2'] }])(
    'is ejected, and comes back without what it had ($args)',
    async ({ args }) => {
      const scene = await start(args);
      const { proxy, node, lost } = scene;
      await node.client().save();
      const watching = proxy.client();
      await watching.watch(lost[0] ?? '');
      const busy = await beBusy(proxy, lost);
      const counting = new Counting([proxy]);
      await counting.start();
      await node.stop();
      const view = await isOut(scene);
      // Down, and then without what it had: its being taken out is held, and not told as an error.
      expect((await busy.stop()).filter((reply) => !/^(?:-NODEDOWN|\$|\*|\+)/.test(reply))).toEqual([]);
      expect(view.generation).toBe(2);
      const out = view.nodes.find(({ name }) => name === 'node2');
      expect(out).toMatchObject({ state: 'ejected', share: 0, ejection: { times: 1 } });
      expect(out?.ejection?.why).toMatch(/^down for \d+ s \(it refused/);
      // Nobody knows whether it was written to meanwhile.
      expect(await watching.multi().incr('counter').exec()).toBeNull();
      const client = proxy.client();
      expect(await client.get('counter')).toBeNull();
      for (const key of lost) expect(await client.get(key)).toBeNull();
      for (const key of lost.slice(10)) await client.set(key, 'new');
      await node.start();
      expect(await node.client().dbsize()).toBe(lost.length);
      // It serves: what clients were told of it before says nothing of it now.
      expect((await isBack(scene)).nodes.map(({ reason }) => reason)).toEqual([null, null, null]);
      for (const [i, key] of lost.entries()) expect(await client.get(key)).toBe(i < 10 ? null : 'new');
      expect(await node.client().dbsize()).toBe(lost.length - 10);
      // What is on no node has noticed nothing.
      await counting.stop();
      const kinds = (await historyOf(proxy)).map(({ kind, summary }) => [kind, summary]);
      expect(kinds.map(([kind]) => kind)).toEqual(['bootstrap', 'eject', 'return']);
      expect(kinds[1]?.[1]).toMatch(/^eject node2 \(127\.0\.0\.1:\d+\): down for/);
      // What lies on its disk is not that of before either.
      await node.restart();
      expect(await node.client().dbsize()).toBe(0);
    },
  );

  it('that hangs, with commands that wait there, answers nobody late, and nothing that it does late is seen', async () => {
    const scene = await start();
    const { proxy, node, lost } = scene;
    const [key = '', list = '', other = ''] = lost;
    const client = proxy.client();
    await client.del(list);
    const waiting = await RawClient.connect(proxy.port);
    waiting.send(`BLPOP ${list} 0\r\n`);
    await expect.poll(async () => /blocked_clients:1/.test(await node.client().info('clients'))).toBe(true);
    node.kill('SIGSTOP');
    const late = await RawClient.connect(proxy.port);
    late.send(`SET ${key} late\r\nLPUSH ${other}x late\r\n`);
    await isOut(scene);
    await client.set(key, 'new');
    await client.rpush(list, 'element');
    // Nobody waits for a node that is none any more.
    await waiting.replies(1);
    await late.replies(2);
    node.kill('SIGCONT');
    await isBack(scene);
    expect(await client.get(key)).toBe('new');
    expect(await client.get(other)).toBeNull();
  });
});
