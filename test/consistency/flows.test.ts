/** What belongs together stays together while the ring changes: transactions, queues, streams, channels. */
import { expect, it } from 'vitest';
import { startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled } from '../support/ring-api.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { verifyPlacement } from './checker.js';
import { BlockingPops, Channels, Streams, Transactions } from './flows.js';

it.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const)(
  '3 to 5 to 4 nodes, other weights, a replaced node, a change that is cancelled half-way (%s)',
  { timeout: 180_000 },
  async (_title, args) => {
    const nodes = await startRedises(6);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3), args });
    await fill(proxy, 10_000);
    const at = [proxy];
    const flows = [new Transactions(at), new BlockingPops(at), new Streams(at), new Channels(at)];
    for (const flow of flows) flow.start();
    const change = async (body: object): Promise<void> => {
      const before = flows.map((flow) => flow.done);
      await post(proxy, 'changes', body);
      await settled(proxy);
      await expect
        .poll(() => flows.every((flow, i) => flow.done > (before[i] ?? 0) + 20), { timeout: 60_000 })
        .toBe(true);
    };
    await change(add('node4', nodes[3]));
    await change(add('node5', nodes[4], 2));
    await change({ kind: 'remove', remove: ['node2'] });
    await change({ kind: 'reweight', weights: [{ name: 'node1', weight: 3 }] });
    await change({ kind: 'replace', replace: [{ name: 'node3', address: nodes[5]?.address }] });
    await post(proxy, 'changes', { kind: 'remove', remove: ['node4'] });
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 2000 });
    while (((await ringOf(proxy)).change?.keysMoved ?? 0) < 300)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await post(proxy, 'changes/current/cancel', {});
    await settled(proxy);
    for (const flow of flows) expect(await flow.stop(), flow.constructor.name).toEqual([]);
    expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
  },
);
