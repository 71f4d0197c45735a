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
    runIds: async () => [],
    refuseStrangers: async () => {},
    keysOfNoNode: () => () => false,
    warn: (message) => told.push(message),
  });
  checks.start();
  await expect.poll(() => checks.report().nodes.map((node) => node.checkedAt !== null)).toEqual([true]);
  await checks.close();
  expect(told).toEqual([]);
});

it('does not remove keys of a node that has come to be another one', async () => {
  const stage = await stageNode('a');
  const client = stage.redis.client();
  const node = (name: string, id: number) => ({ id, name, address: `${name}:1`, weight: 1, access: {} });
  const nodes = [node('a', 1), node('b', 2)];
  const told: string[] = [];
  let looks = 0;
  let processes = ['', 'other'];
  let seen = processes;
  const checks = new StrayChecks({
    upkeep: new Upkeep(),
    open: async () => {
      const link = await NodeLink.open(moverNode(stage), { ...LINK, onLate: () => {} });
      if (looks++ === 0) processes = seen = [link.runId, 'other'];
      return link;
    },
    stable: () => ({ rings: allOn('b'), nodes }),
    runId: ({ name }) => (name === 'a' ? (seen[0] ?? null) : null),
    runIds: async () => processes,
    refuseStrangers: async () => {},
    keysOfNoNode: () => () => false,
    warn: (message) => told.push(message),
  });
  seen = ['the first', 'other'];
  checks.start();
  await expect.poll(() => checks.report().nodes[0]?.checkedAt ?? null, { timeout: 5000 }).not.toBeNull();
  await client.mset(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key:${i}`, 'v'])));
  // The node has failed over, which its probes see before those of the other one.
  seen = ['another', 'other'];
  processes = ['another', 'another'];
  await expect.poll(() => looks, { timeout: 5000 }).toBeGreaterThan(2);
  expect(await client.dbsize()).toBe(300);
  await expect(checks.check(true)).rejects.toMatchObject({ code: 'SAME_SERVER' });
  await checks.close();
  expect(told).toEqual([]);
});
