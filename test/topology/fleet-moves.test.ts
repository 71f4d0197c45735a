/** Movers of one change at several proxies, with real nodes and an etcd: clients at all of them write while keys move. */
import { expect, it } from 'vitest';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { post } from '../support/ring-api.js';

const KEYS = 3000;
const names = Array.from({ length: KEYS }, (_, i) => `key:${i}`);

async function write(proxy: FleetProxy, value: string, keys = names): Promise<void> {
  const pipeline = proxy.process.client().pipeline();
  for (const key of keys) pipeline.set(key, value);
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}

async function read(proxy: FleetProxy, keys = names): Promise<(string | null)[]> {
  const pipeline = proxy.process.client().pipeline();
  for (const key of keys) pipeline.get(key);
  return ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value as string | null;
  });
}

/** Who moves the keys of which source. */
async function movers(fleet: Fleet): Promise<Map<string, string>> {
  const view = await fleet.someone(
    'a mover of each source',
    ({ change }) => (change?.sources.length ?? 0) > 0 && change?.sources.every(({ owner }) => owner !== '') === true,
  );
  return new Map(view.change?.sources.map(({ node, owner }) => [node, owner]));
}

it('clients of each proxy find and write every key, whoever moves it; one that is killed is succeeded', async () => {
  const fleet = await startFleet({ nodes: 3, spares: 1, proxies: 3, allowLog: TROUBLE });
  const [first, second, third] = fleet.proxies as [FleetProxy, FleetProxy, FleetProxy];
  await write(first, 'old');
  await post(second, 'changes', {
    kind: 'add',
    add: [{ name: 'node4', address: fleet.addressOf(fleet.spares[0]) }],
    throttle: 30,
  });
  const owners = await movers(fleet);
  expect(owners.size).toBe(3);
  // Each key is asked for at proxies that do not move it, too; most of them are left to the sweeps.
  const parts = [0, 1, 2].map((part) => names.filter((_key, i) => i % 10 === part));
  const values = ['one', 'two', 'three'];
  await Promise.all(fleet.proxies.map((proxy, i) => write(proxy, values[i] ?? '', parts[i])));
  const expected = names.map((_key, i) => values[i % 10] ?? 'old');
  for (const proxy of fleet.proxies) expect(await read(proxy)).toEqual(expected);
  expect(await third.process.client().dbsize()).toBe(KEYS);
  // A mover dies in the middle of it.
  const victim = await fleet.byId([...owners.values()][0] ?? '');
  const gone = [...owners.values()][0];
  await victim.kill();
  const [survivor] = fleet.running as [FleetProxy];
  expect((await survivor.view()).change).not.toBeNull();
  await write(survivor, 'later', parts[0]);
  await write(survivor, 'later', names.slice(-100));
  const after = expected.map((value, i) => (i % 10 === 0 || i >= KEYS - 100 ? 'later' : value));
  for (const proxy of fleet.running) expect(await read(proxy)).toEqual(after);
  await fleet.everyone(
    'sources of the dead mover with others',
    ({ change }) =>
      change === null || change.sources.every(({ owner, done }) => done || (owner !== '' && owner !== gone)),
  );
  await post(survivor, 'changes/current/throttle', { keysPerSecond: 0 });
  await fleet.settled();
  for (const proxy of fleet.running) expect(await read(proxy)).toEqual(after);
});

it('a cancel turns round what several proxies have moved', async () => {
  const fleet = await startFleet({ nodes: 3, spares: 1, proxies: 2, workers: 2, allowLog: TROUBLE });
  const [first, second] = fleet.proxies as [FleetProxy, FleetProxy];
  await write(first, 'old');
  await post(first, 'changes', {
    kind: 'add',
    add: [{ name: 'node4', address: fleet.addressOf(fleet.spares[0]) }],
    throttle: 100,
  });
  await movers(fleet);
  await write(second, 'new', names.slice(0, 1000));
  await first.process.client().del(...names.slice(1000, 1100));
  await fleet.everyone('keys that have moved', ({ change }) => (change?.keysMoved ?? 0) > 50);
  await post(second, 'changes/current/cancel');
  await post(second, 'changes/current/throttle', { keysPerSecond: 0 });
  const view = await fleet.settled();
  expect(view.nodes.map(({ name }) => name)).toEqual(['node1', 'node2', 'node3']);
  const expected = names.map((_key, i) => (i < 1000 ? 'new' : i < 1100 ? null : 'old'));
  for (const proxy of fleet.proxies) expect(await read(proxy)).toEqual(expected);
});

it('a mover that has stopped is seen by all proxies, and goes on at the word of any of them', async () => {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const fleet = await startFleet({ nodes: 3, spares: 1, proxies: 2, nodeArgs: durable, allowLog: TROUBLE });
  const [first, second] = fleet.proxies as [FleetProxy, FleetProxy];
  await write(first, 'old');
  await post(first, 'changes', {
    kind: 'add',
    add: [{ name: 'node4', address: fleet.addressOf(fleet.spares[0]) }],
    throttle: 30,
  });
  await movers(fleet);
  const [node] = fleet.nodes;
  const [spare] = fleet.spares;
  await node?.stop();
  const isAbout = /^moving keys off node1 \(/;
  await fleet.everyone('it does not get on', ({ change }) => isAbout.test(change?.error ?? ''));
  await node?.restart();
  // A node that is back needs nobody; one that has no room does.
  await fleet.everyone('it gets on', ({ change }) => change?.paused === false && change.error === null);
  await spare?.client().config('SET', 'maxmemory', '1');
  await fleet.everyone(
    'it has stopped',
    ({ change }) => change?.paused === true && /OOM/.test(change.error ?? '') && change.etaSeconds === null,
  );
  await spare?.client().config('SET', 'maxmemory', '0');
  // Whoever has asked reads at once that it goes on, or why not.
  for (const proxy of [second, first]) {
    await expect
      .poll(async () => (await post(proxy, 'changes/current/resume').catch(() => null)) !== null, { timeout: 20_000 })
      .toBe(true);
  }
  await fleet.everyone('it goes on', ({ change }) => change?.paused === false);
  await post(second, 'changes/current/throttle', { keysPerSecond: 0 });
  await fleet.settled();
  // A proxy may have yet to find out that the node is back.
  for (const proxy of fleet.proxies) {
    await expect.poll(() => read(proxy).catch(String), { timeout: 20_000 }).toEqual(names.map(() => 'old'));
  }
});
