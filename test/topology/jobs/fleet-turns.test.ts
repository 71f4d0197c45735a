import { describe, expect, it } from 'vitest';
import { FleetTurns, isCrosswise } from '../../../src/topology/jobs/fleet-turns.js';
import { LocalStore } from '../../../src/topology/store/local-store.js';
import { rings } from '../../rebalance/stage.js';

const NODES = ['a', 'b', 'c'].map((name) => ({ name }));

it('one MIGRATE at a time runs at all proxies, where nodes could wait for each other', async () => {
  const store = new LocalStore('p1', null);
  const [first, second] = ['p1', 'p2'].map(
    (id) => new FleetTurns({ memberId: () => id, claims: store, isStopped: () => false }),
  ) as [FleetTurns, FleetTurns];
  const end = await first.take();
  let begun = 0;
  const others = [second.take(), first.take()].map(async (turn) => {
    const over = await turn;
    begun++;
    expect((await store.claims()).map(({ job }) => job)).toEqual(['migrate']);
    over();
  });
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(begun).toBe(0);
  end();
  await Promise.all(others);
  expect(begun).toBe(2);
});

it('a proxy that is stopped waits for nobody', async () => {
  const store = new LocalStore('p1', null);
  await store.claim('migrate', 'p2', 'quick');
  (await new FleetTurns({ memberId: () => 'p1', claims: store, isStopped: () => true }).take())();
});

describe('nodes could wait for each other', () => {
  it('where one gives keys and gets some', () => {
    expect(isCrosswise(rings(NODES, ['a', 'b'], ['a', 'c']).rings)).toBe(true);
    expect(isCrosswise(rings(NODES, ['a', 'b'], ['a', 'b', 'c']).rings)).toBe(false);
    expect(isCrosswise(rings(NODES, ['a', 'b', 'c'], ['a', 'b']).rings)).toBe(false);
  });
});
