/** What is under way when the ring begins to change is answered before any key moves. */
import { expect, it } from 'vitest';
import { type GatedRelay, startGatedRelay } from '../support/gated-relay.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const COUNTERS = 200;

interface Stage {
  readonly proxy: RingproxyProcess;
  readonly relay: GatedRelay;
  readonly joining: RedisProcess;
  /** Counters that move when the node joins. Each is 1. */
  readonly moving: readonly string[];
}

/** A ring of one node, behind a network that can keep what is under way to it. */
async function stage(args: readonly string[]): Promise<Stage> {
  const nodes = await startRedises(2);
  const [first, joining] = nodes as [RedisProcess, RedisProcess];
  const counters = Array.from({ length: COUNTERS }, (_, i) => `counter:${i}`);
  const afterwards = await startRingproxy({ nodes, allowLog: [/does not own/] });
  const owners = await ownersOf(afterwards, counters);
  const moving = counters.filter((_, i) => owners[i] === joining.address);
  await afterwards.stop();
  expect(moving.length).toBeGreaterThan(COUNTERS / 4);
  const relay = await startGatedRelay(first.port);
  const proxy = await startRingproxy({ nodes: [`node1=${relay.address}`], args });
  await fill(proxy, 5000);
  return { proxy, relay, joining, moving };
}

/** Resolves when at least one client's command waits for the ring. */
async function untilHeld(proxy: RingproxyProcess): Promise<void> {
  for (;;) {
    const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
    if (/^ringproxy_held_commands(\{.*\})? [1-9]/m.test(metrics)) return;
  }
}

/**
 * Twenty writers have a write in the network when the node joins; twenty others write the same keys while it does.
 * Without the fence, the others' writes move the keys, and the first ones' arrive where no key is any more: 21 of 41 are left.
 */
it.each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
] as const)('writes that are slow on their way to the old owner are not lost (%s)', async (_title, args) => {
  const { proxy, relay, joining, moving } = await stage(args);
  const connect = (): Promise<RawClient[]> =>
    Promise.all(Array.from({ length: 20 }, () => RawClient.connect(proxy.port)));
  const [early, late] = [await connect(), await connect()];
  // Each has its connection to the node before that keeps anything.
  for (const client of [...early, ...late]) await client.pipeline(moving.map((key) => ['SET', key, '1']));
  const increments = moving.map((key) => ['INCR', key]);
  relay.keep();
  const first = Promise.all(early.map((client) => client.pipeline(increments)));
  await expect.poll(() => relay.kept).toBeGreaterThan(20 * moving.length * 20);
  // Forced: otherwise the node is asked first who else is connected to it, which the network would keep as well.
  const change = post(proxy, 'changes', { ...add('node2', joining), force: true });
  await until(proxy, ({ phase, generation }) => phase !== 'stable' || generation > 1);
  const second = Promise.all(late.map((client) => client.pipeline(increments)));
  await Promise.race([untilHeld(proxy), second]);
  await relay.release();
  await Promise.all([first, second, change]);
  await settled(proxy);
  const client = await RawClient.connect(proxy.port);
  for (const key of moving) expect(`${key} ${await client.text('GET', key)}`).toBe(`${key} $2\r\n41\r\n`);
});
