/** Nothing acknowledged is lost, nothing deleted comes back, no existing key reads as missing, while the ring changes. */
import { describe, expect, it } from 'vitest';
import { Random } from '../fuzz/random.js';
import { freePort } from '../support/free-port.js';
import { startGatedRelay } from '../support/gated-relay.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { startSlowRelay } from '../support/slow-relay.js';
import { tempFolder } from '../support/temp-folder.js';
import { Checker, verifyPlacement } from './checker.js';
import { COUNTED, Counting } from './counting.js';

const SEED = Number(process.env.CHECK_SEED ?? 7);

/** Times that a busy machine does not reach, where time is not what is tested. */
const PATIENT = 'connect-timeout: 30s\nrequest-timeout: 60s\nprobe-timeout: 30s\n';

async function expectConsistent(
  checker: Checker,
  proxy: RingproxyProcess,
  nodes: readonly RedisProcess[],
): Promise<void> {
  await checker.stop();
  expect(checker.violations).toEqual([]);
  expect(checker.commands).toBeGreaterThan(200);
  expect(await checker.verifyAll()).toEqual([]);
  expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
}

describe('under load', () => {
  it('the ring goes from 3 to 5 to 4 nodes, weights change, a node is replaced', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(6);
    const args = ['--state-dir', tempFolder('state')];
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3), args, config: COUNTED });
    const counting = new Counting([proxy]);
    await counting.start();
    await fill(proxy, 100_000);
    const checker = new Checker({
      proxies: () => [proxy],
      clients: 12,
      keysPerClient: 400,
      seed: SEED,
      toleratesCuts: false,
    });
    checker.start();
    await post(proxy, 'changes', add('node4', nodes[3]));
    await settled(proxy);
    await post(proxy, 'changes', add('node5', nodes[4], 2));
    await settled(proxy);
    await post(proxy, 'changes', { kind: 'remove', remove: ['node2'] });
    await settled(proxy);
    await post(proxy, 'changes', { kind: 'reweight', weights: [{ name: 'node1', weight: 3 }] });
    await settled(proxy);
    await post(proxy, 'changes', { kind: 'replace', replace: [{ name: 'node3', address: nodes[5]?.address }] });
    const view = await settled(proxy);
    expect(view.nodes.map((node) => node.name).sort()).toEqual(['node1', 'node3', 'node4', 'node5']);
    expect(view.generation).toBe(6);
    await counting.stop();
    await expectConsistent(checker, proxy, nodes);
    expect(await nodes[1]?.client().dbsize()).toBe(0);
    expect(await nodes[2]?.client().dbsize()).toBe(0);
    const filler = await proxy.client().mget(Array.from({ length: 1000 }, (_, i) => `filler:${i * 100}`));
    expect(filler).toEqual(Array.from({ length: 1000 }, (_, i) => `value of ${i * 100}`));
  });

  it('SCAN returns every key that was there all the time, whatever moves meanwhile', { timeout: 120_000 }, async () => {
    const nodes = await startRedises(4);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3) });
    await fill(proxy, 30_000);
    const client = proxy.client();
    for (const change of [
      add('node4', nodes[3]),
      { kind: 'remove', remove: ['node1'] },
      { kind: 'remove', remove: ['node4'] },
    ]) {
      const found = new Set<string>();
      let cursor = '0';
      let calls = 0;
      do {
        const [next, keys] = await client.scan(cursor, 'COUNT', 500);
        cursor = next;
        for (const key of keys) found.add(key);
        // The change begins in the middle of the walk, and is throttled so that it goes on while it ends.
        if (++calls === 20) {
          await post(proxy, 'changes', change);
          await post(proxy, 'changes/current/throttle', { keysPerSecond: 20_000 });
        }
      } while (cursor !== '0');
      expect(found.size).toBe(30_000);
      await settled(proxy);
    }
  });

  it('over a slow network, on which commands of one key overtake each other', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(4);
    const random = new Random(SEED);
    const relays = await Promise.all(nodes.map((node) => startSlowRelay(node.port, () => random.below(40))));
    const entry = (i: number): string =>
      `{ name: node${i + 1}, address: "${relays[i]}", peer-address: "${nodes[i]?.address}" }`;
    const proxy = await startRingproxy({
      // The network is slow, and the machine may be: no node is down because of that.
      config: `${PATIENT}node-connections: 4\nnodes: [${[0, 1, 2, 3].map(entry).join(', ')}]\n`,
    });
    const checker = new Checker({
      proxies: () => [proxy],
      clients: 24,
      keysPerClient: 60,
      seed: SEED + 5,
      toleratesCuts: false,
    });
    checker.start();
    for (let round = 0; round < 3; round++) {
      await post(proxy, 'changes', { kind: 'remove', remove: ['node4'] });
      await settled(proxy);
      await post(proxy, 'changes', { kind: 'add', add: [{ name: 'node4', address: relays[3] }] });
      await settled(proxy);
    }
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(checker.commands).toBeGreaterThan(200);
    expect(await checker.verifyAll()).toEqual([]);
  });

  it('nodes are slower than the proxy waits, and what it has given up arrives later', {
    timeout: 180_000,
  }, async () => {
    const nodes = await startRedises(3);
    const relays = await Promise.all(nodes.map((node) => startGatedRelay(node.port)));
    const proxy = await startRingproxy({
      nodes: relays.map((relay, i) => `node${i + 1}=${relay.address}`),
      config: 'request-timeout: 300ms\nnode-connections: 2\n',
      allowLog: [/upstream:down/, /node:health/],
    });
    const checker = new Checker({
      proxies: () => [proxy],
      clients: 12,
      keysPerClient: 10,
      seed: SEED + 6,
      toleratesCuts: false,
      toleratesFailures: true,
    });
    checker.start();
    const acknowledged = async (commands: number): Promise<void> => {
      const enough = checker.acknowledged + commands;
      const reached = (): boolean => checker.violations.length > 0 || checker.acknowledged > enough;
      await expect.poll(reached, { timeout: 60_000 }).toBe(true);
    };
    for (let round = 0; round < 9; round++) {
      await acknowledged(500);
      const relay = relays[round % relays.length];
      const failures = checker.failures;
      relay?.keep();
      await expect
        .poll(() => checker.violations.length > 0 || checker.failures > failures, { timeout: 60_000 })
        .toBe(true);
      // All clients have gone on by other connections, and written some of the same keys anew.
      await acknowledged(3000);
      await relay?.release();
    }
    await checker.stop();
    expect(checker.violations).toEqual([]);
    expect(await checker.verifyAll()).toEqual([]);
  });

  it('a change is paused, throttled, and cancelled half-way: everything goes back', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(4);
    const proxy = await startRingproxy({ nodes: nodes.slice(0, 3) });
    await fill(proxy, 60_000);
    const checker = new Checker({
      proxies: () => [proxy],
      clients: 8,
      keysPerClient: 300,
      seed: SEED + 1,
      toleratesCuts: false,
    });
    checker.start();
    await post(proxy, 'changes', add('node4', nodes[3]));
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 3000 });
    while (((await ringOf(proxy)).change?.keysMoved ?? 0) < 1000)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await post(proxy, 'changes/current/pause', {});
    expect((await ringOf(proxy)).change).toMatchObject({ paused: true, kind: 'add', phase: 'moving' });
    await post(proxy, 'changes/current/cancel', {});
    const view = await settled(proxy);
    expect(view.nodes.map((node) => node.name)).toEqual(['node1', 'node2', 'node3']);
    await expectConsistent(checker, proxy, nodes);
    expect(await nodes[3]?.client().dbsize()).toBe(0);
  });

  it('the proxy is killed with -9 in the middle, and goes on by itself when it is back', {
    timeout: 180_000,
  }, async () => {
    const nodes = await startRedises(5);
    const directory = tempFolder('state');
    const port = await freePort();
    const args = ['--listen', `127.0.0.1:${port}`, '--state-dir', directory];
    let proxy = await startRingproxy({ nodes: nodes.slice(0, 3), args });
    await fill(proxy, 60_000);
    const checker = new Checker({
      proxies: () => [{ host: '127.0.0.1', port }],
      clients: 8,
      keysPerClient: 300,
      seed: SEED + 2,
      toleratesCuts: true,
    });
    checker.start();
    for (const [index, name] of ['node4', 'node5'].entries()) {
      await post(proxy, 'changes', add(name, nodes[3 + index]));
      await post(proxy, 'changes/current/throttle', { keysPerSecond: 5000 });
      while (((await ringOf(proxy)).change?.keysMoved ?? 0) < 1000)
        await new Promise((resolve) => setTimeout(resolve, 10));
      proxy.kill('SIGKILL');
      proxy = await startRingproxy({ nodes: nodes.slice(0, 3), args, allowLog: [/the ring that exists wins/] });
      expect((await settled(proxy)).nodes).toHaveLength(4 + index);
    }
    await expectConsistent(checker, proxy, nodes);
  });

  it('the proxy is killed with -9 in every phase', { timeout: 180_000 }, async () => {
    const nodes = await startRedises(4);
    const port = await freePort();
    const args = ['--listen', `127.0.0.1:${port}`, '--state-dir', tempFolder('state')];
    const start = (): Promise<RingproxyProcess> =>
      startRingproxy({ nodes: nodes.slice(0, 3), args, allowLog: [/the ring that exists wins/] });
    let proxy = await start();
    await fill(proxy, 20_000);
    const checker = new Checker({
      proxies: () => [{ host: '127.0.0.1', port }],
      clients: 8,
      keysPerClient: 200,
      seed: SEED + 3,
      toleratesCuts: true,
    });
    checker.start();
    const progress = async (percent: number): Promise<void> => {
      await until(proxy, ({ change }) => change === null || (change.phase === 'moving' && change.percent >= percent));
    };
    const pause = (milliseconds: number) => () => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    // Before the change is answered: while it is examined, in the fence, as it is recorded; then while keys move, when
    // nearly all have moved, and around the record that they have.
    const moments = [pause(0), pause(20), pause(60), pause(100), pause(140)];
    moments.push(...[0, 30, 90, 99.9].map((percent) => () => progress(percent)));
    for (const moment of moments) {
      const joined = (await ringOf(proxy)).nodes.some((node) => node.name === 'node4');
      const body = joined ? { kind: 'remove', remove: ['node4'] } : add('node4', nodes[3]);
      const asked = post(proxy, 'changes', body).catch(() => {});
      await moment();
      proxy.kill('SIGKILL');
      await asked;
      await proxy.child.exited;
      proxy = await start();
      await settled(proxy);
    }
    await expectConsistent(checker, proxy, nodes);
    expect(await proxy.client().exists(...Array.from({ length: 20_000 }, (_, i) => `filler:${i}`))).toBe(20_000);
  });
});

describe('a node that fails in the middle of a change', () => {
  it('pauses it with a message that names the node; resume finishes it', { timeout: 120_000 }, async () => {
    const nodes = await startRedises(3);
    const proxy = await startRingproxy({
      nodes: nodes.slice(0, 2),
      config: 'request-timeout: 1s\n',
      allowLog: [/upstream:down/, /node:health/, /the change is paused/],
    });
    await fill(proxy, 40_000);
    await post(proxy, 'changes', add('node3', nodes[2]));
    // It had the room when the change began.
    await nodes[2]?.client().config('SET', 'maxmemory', '1500kb');
    let view = await ringOf(proxy);
    while (view.change !== null && view.change.error === null) view = await ringOf(proxy);
    expect(view.change).toMatchObject({
      paused: true,
      error: expect.stringMatching(/moving keys off node[12] .* failed: .*OOM/),
    });
    await nodes[2]?.client().config('SET', 'maxmemory', '0');
    await post(proxy, 'changes/current/resume', {});
    await settled(proxy);
    expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
    expect(await proxy.client().dbsize()).toBe(40_000);
  });
});
