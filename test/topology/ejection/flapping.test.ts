/** A node that dies and returns over and over: each time it stays away for longer, and serves nothing that it had. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../../src/admin/api.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { fill, fillers, ownersOf, post, ringOf, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

const KEYS = 300;
/** Of these it takes a while until they have moved. */
const LARGE = 300_000;
const REJOIN_AFTER = 400;
const CONFIG = `
on-node-failure: eject
eject-after: 200ms
rejoin-after: ${REJOIN_AFTER}ms
connect-timeout: 500ms
request-timeout: 1s
probe-interval: 50ms
probe-timeout: 300ms
probe-failures: 2
`;

type Ring = Parameters<Parameters<typeof until>[1]>[0];
const isOut = ({ nodes, change }: Ring): boolean => change === null && nodes.some(({ state }) => state === 'ejected');
const isBack = ({ nodes, change }: Ring): boolean =>
  change === null && nodes.filter(({ state }) => state === 'active').length === 3;

interface Scene {
  readonly proxy: RingproxyProcess;
  readonly nodes: readonly RedisProcess[];
  /** The one that flaps. */
  readonly node: RedisProcess;
  /** Its keys. */
  readonly own: readonly string[];
}

async function start(): Promise<Scene> {
  const nodes = await startRedises(3);
  const [, node] = nodes;
  if (node === undefined) throw new Error('there are three');
  const proxy = await startRingproxy({ nodes, config: CONFIG, allowLog: [/node\d/, /upstream/, /eject/] });
  await fill(proxy, KEYS);
  const owners = await ownersOf(proxy, fillers(KEYS));
  return { proxy, nodes, node, own: fillers(KEYS).filter((_key, i) => owners[i] === node.address) };
}

async function historyOf(proxy: RingproxyProcess): Promise<HistoryEntry[]> {
  return (await (await fetch(`${proxy.admin}/v1/ring/history`)).json()) as HistoryEntry[];
}

describe('a node that flaps', () => {
  it('is away for twice as long each time, which is told; what it has is of the time before, or still loads', async () => {
    const { proxy, node, own } = await start();
    const client = proxy.client();
    for (let time = 1; time <= 3; time++) {
      // What it comes back with: of before the last writes. Large enough for it to answer while it loads it.
      await Promise.all(own.map((key) => client.set(key, randomBytes(1500))));
      await node.client().save();
      await Promise.all(own.map((key) => client.set(key, `written at ${time}`)));
      await node.stop();
      const out = (await until(proxy, isOut)).nodes.find(({ state }) => state === 'ejected');
      expect(out?.ejection?.times).toBe(time);
      await Promise.all(own.slice(10).map((key) => client.set(key, `written without it ${time}`)));
      const startedAt = Date.now();
      if (time < 3) await node.start();
      else {
        await node.startLoading(20_000);
        await until(proxy, ({ nodes }) => nodes.some(({ reason }) => /now: .*LOADING/i.test(reason ?? '')));
      }
      while (!isBack(await ringOf(proxy))) {
        const values = await client.mget(...own);
        expect(values.slice(0, 10)).toEqual(Array(10).fill(null));
        expect(new Set(values.slice(10))).toEqual(new Set([`written without it ${time}`]));
      }
      const values = await client.mget(...own);
      expect(values.slice(0, 10)).toEqual(Array(10).fill(null));
      expect(new Set(values.slice(10))).toEqual(new Set([`written without it ${time}`]));
      const returns = (await historyOf(proxy)).filter(({ kind }) => kind === 'return');
      expect(returns).toHaveLength(time);
      const cameBack = new Date(returns.at(-1)?.startedAt ?? 0).getTime();
      expect(cameBack - startedAt).toBeGreaterThanOrEqual(REJOIN_AFTER * 2 ** (time - 1));
    }
    const told = proxy.log.map(({ msg }) => msg);
    expect(told.filter((line) => /^node node2 \(\S+\) is ejected: down for/.test(line))).toHaveLength(3);
    expect(told.filter((line) => line.endsWith('which was ejected, is back in the ring'))).toHaveLength(3);
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    expect(metrics).toContain('ringproxy_node_ejections_total{node="node2"} 3\n');
  });

  it.each(['dies', 'stalls', 'dies behind a cancel'] as const)(
    'and %s while it comes back stays out: what it had not been given yet is served',
    async (how) => {
      const { proxy, node, own } = await start();
      const client = proxy.client();
      await node.stop();
      await until(proxy, isOut);
      await Promise.all(own.map((key) => client.set(key, Buffer.alloc(LARGE, 'x'))));
      await node.start();
      await until(proxy, ({ change }) => change?.kind === 'return' && change.keysMoved > 0);
      const isCancelled = how === 'dies behind a cancel';
      if (isCancelled) {
        await post(proxy, 'changes/current/throttle', { keysPerSecond: 5 });
        await post(proxy, 'changes/current/cancel');
      }
      if (how === 'stalls') node.kill('SIGSTOP');
      else await node.stop();
      const out = await until(proxy, isOut);
      expect(out.nodes.find(({ state }) => state === 'ejected')?.ejection?.times).toBe(isCancelled ? 1 : 2);
      const kinds = (await historyOf(proxy)).map(({ kind }) => kind);
      expect(kinds).toEqual(['bootstrap', 'eject', 'cancel']);
      const lengths = await Promise.all(own.map((key) => client.strlen(key)));
      expect(new Set(lengths)).toEqual(new Set([0, LARGE]));
      await Promise.all(own.map((key) => client.set(key, 'new')));
      if (how === 'stalls') node.kill('SIGCONT');
      else await node.start();
      await until(proxy, isBack);
      expect(new Set(await client.mget(...own))).toEqual(new Set(['new']));
      expect(await node.client().dbsize()).toBe(own.length);
    },
  );

  it('finds another one dead when it comes back, which is given up in turn', async () => {
    const { proxy, node, nodes, own } = await start();
    const client = proxy.client();
    const [first] = nodes;
    await node.stop();
    await until(proxy, isOut);
    await Promise.all(own.map((key) => client.set(key, Buffer.alloc(LARGE, 'x'))));
    await node.start();
    await until(proxy, ({ change }) => change?.kind === 'return' && change.keysMoved > 0);
    await first?.stop();
    await until(
      proxy,
      (ring) => isOut(ring) && ring.nodes.some(({ name, state }) => name === 'node1' && state === 'ejected'),
    );
    await Promise.all(own.map((key) => client.set(key, 'new')));
    await first?.start();
    await until(proxy, isBack);
    expect(new Set(await client.mget(...own))).toEqual(new Set(['new']));
  });
});
