/** A look for keys that a node does not own, while another proxy changes the ring: what has moved is no stray. */
import { expect, it } from 'vitest';
import { NodeLink } from '../../../src/rebalance/node-link.js';
import { type StableRing, StrayChecks } from '../../../src/topology/jobs/stray-checks.js';
import { Upkeep } from '../../../src/topology/upkeep.js';
import { LINK, moverNode, rings, stageNode } from '../../rebalance/stage.js';

const NAMES = [{ name: 'a' }, { name: 'b' }];
/** A ring in which all keys are this node's. */
const allOn = (name: string): StableRing['rings'] => rings(NAMES, [name], [name]).rings;

it.each([
  ['is changing', (): StableRing | null => null],
  ['has changed', ({ nodes }: StableRing): StableRing | null => ({ nodes, rings: allOn('a') })],
] as const)('of a ring that %s meanwhile it tells nothing', async (_how, change) => {
  const stage = await stageNode('a');
  const client = stage.redis.client();
  await client.mset(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`key:${i}`, 'v'])));
  const member = { id: 1, name: 'a', address: stage.redis.address, weight: 1, access: {} };
  const told: string[] = [];
  let stable: StableRing | null = { rings: allOn('b'), nodes: [member] };
  let looks = 0;
  const checks = new StrayChecks({
    upkeep: new Upkeep(),
    open: async () => {
      const link = await NodeLink.open(moverNode(stage), { ...LINK, onLate: () => {} });
      looks++;
      // The walk has begun with the ring of before.
      if (looks === 1 && stable !== null) stable = change(stable);
      return link;
    },
    stable: () => stable,
    runId: () => 'some',
    refuseStrangers: async () => {},
    warn: (message) => told.push(message),
  });
  checks.start();
  await expect.poll(() => checks.report().nodes.map((node) => node.checkedAt !== null)).toEqual([true]);
  await checks.close();
  expect(told).toEqual([]);
});
