/** Nodes that die, stall, start anew or refuse keys while the ring changes. */
import { afterEach, describe, expect, it } from 'vitest';
import { verifyPlacement } from '../consistency/checker.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { add, fill, ownersOf, post, ringOf, settled, until } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 12_000;
/** What a proxy says of a node that fails. */
const EXPECTED = [
  /upstream:(?:down|up|impaired)/,
  /node:health/,
  /the change is paused/,
  /waits for/,
  /given up/,
  /waits until it answers/,
];
const SETTINGS = 'request-timeout: 1s\nconnect-timeout: 1s\nprobe-interval: 100ms\nprobe-timeout: 500ms\n';

const stopped = new Set<RedisProcess>();
afterEach(() => {
  // A stopped process does not end otherwise.
  for (const node of stopped) node.kill('SIGCONT');
  stopped.clear();
});

function stall(node: RedisProcess): void {
  stopped.add(node);
  node.kill('SIGSTOP');
}

interface Moving {
  readonly proxy: RingproxyProcess;
  readonly nodes: RedisProcess[];
}

/** Two nodes, and a third one that is about to join, or whose keys are moving to already. */
async function start(state: 'stable' | 'moving', joining?: RedisProcess): Promise<Moving> {
  const nodes = await startRedises(joining === undefined ? 3 : 2);
  if (joining !== undefined) nodes.push(joining);
  const proxy = await startRingproxy({
    nodes: nodes.slice(0, 2),
    config: SETTINGS,
    args: ['--state-dir', tempFolder('state')],
    allowLog: EXPECTED,
  });
  await fill(proxy, KEYS);
  if (state === 'moving') {
    await post(proxy, 'changes', add('node3', nodes[2]));
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 1500 });
    await until(proxy, (view) => (view.change?.keysMoved ?? 0) > 300);
  }
  return { proxy, nodes };
}

/** Waits until the change says that it does not get on, with a message that names the node. */
async function expectTold(proxy: RingproxyProcess, node: RedisProcess): Promise<void> {
  const view = await until(proxy, ({ change }) => change === null || change.error !== null);
  expect(view.change?.error).toContain(node.address);
}

/** The same, and it has paused by itself. */
async function expectPaused(proxy: RingproxyProcess, node: RedisProcess): Promise<void> {
  await until(proxy, ({ change }) => change === null || change.paused);
  await expectTold(proxy, node);
}

/** Clients of the other nodes notice nothing. */
async function expectServed(proxy: RingproxyProcess, node: RedisProcess): Promise<void> {
  const keys = Array.from({ length: 300 }, (_, i) => `filler:${i}`);
  const owners = await ownersOf(proxy, keys);
  const rows = (await (
    await fetch(`${proxy.admin}/v1/ring/which?${keys.map((key) => `key=${key}`).join('&')}`)
  ).json()) as { nextNode: string | null }[];
  const theirs = keys.filter((_, i) => owners[i] === node.address && rows[i]?.nextNode === null);
  expect(theirs.length).toBeGreaterThan(20);
  const timeOf = async (port: number): Promise<number> => {
    const client = await RawClient.connect(port);
    const started = performance.now();
    for (const key of theirs) expect(await client.text('GET', key)).toContain('value of');
    return performance.now() - started;
  };
  // As long as this machine takes for it without the proxy, and in no case as long as each takes to be given up.
  const direct = await timeOf(node.port);
  expect(await timeOf(proxy.port)).toBeLessThan(3000 + 20 * direct);
}

/** Takes the brake off, and lets the change go on until it is done. */
async function goOn(proxy: RingproxyProcess): Promise<void> {
  let throttled = true;
  for (;;) {
    const { change } = await ringOf(proxy);
    if (change === null) return;
    // Steered between two looks it may be over, or not have begun: then the next look tells.
    if (throttled && change.sources.length > 0) {
      throttled = false;
      await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 }).catch(() => {});
    }
    // The node may need a moment until it takes connections; each attempt says so when it fails.
    if (change.paused) await post(proxy, 'changes/current/resume').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @returns how many keys are left, all of which are where they belong */
async function expectWhole(proxy: RingproxyProcess, nodes: readonly RedisProcess[]): Promise<number> {
  expect(await verifyPlacement(nodes, (keys) => ownersOf(proxy, keys))).toEqual([]);
  const values = await proxy.client().mget(Array.from({ length: KEYS }, (_, i) => `filler:${i}`));
  values.forEach((value, i) => void (value === null || expect(value).toBe(`value of ${i}`)));
  return values.filter((value) => value !== null).length;
}

describe('in the fence', () => {
  it('a stalled node: the change is given up, and the message names it', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('stable');
    const [first, second] = nodes as [RedisProcess, RedisProcess];
    const client = await RawClient.connect(proxy.port);
    stall(second);
    // In flight on the stalled node when the change begins.
    client.send('*1\r\n$6\r\nDBSIZE\r\n');
    await expect(post(proxy, 'changes', add('node3', nodes[2]))).rejects.toThrow(
      new RegExp(`FENCE_TIMEOUT[\\s\\S]*${second.address}`),
    );
    await expectServed(proxy, first);
    second.kill('SIGCONT');
    await until(proxy, (view) => view.nodes.every((node) => node.state === 'active'));
    await post(proxy, 'changes', add('node3', nodes[2]));
    await settled(proxy);
    expect(await expectWhole(proxy, nodes)).toBe(KEYS);
  });
});

describe('while keys move', () => {
  // Symptom: a change was paused for good by a single connection that was lost. Nobody needs to resume it.
  it('connections that are cut now and then: it goes on by itself', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    for (let cuts = 0; cuts < 6; cuts++) {
      const moved = (await ringOf(proxy)).change?.keysMoved ?? 0;
      for (const node of nodes) await node.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const { change } = await until(proxy, (view) => (view.change?.keysMoved ?? Number.POSITIVE_INFINITY) > moved);
      if (change === null) break;
      expect(change.paused).toBe(false);
    }
    await post(proxy, 'changes/current/throttle', { keysPerSecond: 0 });
    const { paused } = (await until(proxy, ({ change }) => change === null || change.paused)).change ?? {
      paused: false,
    };
    expect(paused).toBe(false);
    expect(await expectWhole(proxy, nodes)).toBe(KEYS);
  });

  it('a target that stalls: told, nothing lost', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    const [first, , target] = nodes as [RedisProcess, RedisProcess, RedisProcess];
    stall(target);
    await expectTold(proxy, target);
    await expectServed(proxy, first);
    target.kill('SIGCONT');
    await goOn(proxy);
    expect(await expectWhole(proxy, nodes)).toBe(KEYS);
  });

  it('a source that stalls: told, nothing lost', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    const [first, source] = nodes as [RedisProcess, RedisProcess];
    stall(source);
    await expectTold(proxy, source);
    await expectServed(proxy, first);
    source.kill('SIGCONT');
    await goOn(proxy);
    expect(await expectWhole(proxy, nodes)).toBe(KEYS);
  });

  it('a target that stalls: cancelled, everything goes back', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    const target = nodes[2] as RedisProcess;
    stall(target);
    await expectTold(proxy, target);
    target.kill('SIGCONT');
    await until(proxy, (view) => view.nodes.every((node) => node.error === null));
    await post(proxy, 'changes/current/cancel');
    await goOn(proxy);
    expect((await ringOf(proxy)).nodes).toHaveLength(2);
    expect(await target.client().dbsize()).toBe(0);
    expect(await expectWhole(proxy, nodes)).toBe(KEYS);
  });

  it('a target that starts anew, empty: only what it had is lost', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    const target = nodes[2] as RedisProcess;
    const had = (await ringOf(proxy)).change?.keysMoved ?? 0;
    await target.restart();
    await goOn(proxy);
    const left = await expectWhole(proxy, nodes);
    expect(left).toBeLessThan(KEYS);
    // What moved between the question and the restart went with it.
    expect(left).toBeGreaterThan(KEYS - had - 1500);
  });

  it('a source that starts anew, empty: only what it had is lost, and nothing comes back', {
    timeout: 180_000,
  }, async () => {
    const { proxy, nodes } = await start('moving');
    const source = nodes[1] as RedisProcess;
    await source.restart();
    await goOn(proxy);
    const left = await expectWhole(proxy, nodes);
    expect(left).toBeGreaterThan(KEYS * 0.35);
    expect(left).toBeLessThan(KEYS * 0.8);
  });

  it('a target that is gone for good: cancelled, and its keys given up', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    const target = nodes[2] as RedisProcess;
    await target.stop();
    await expectTold(proxy, target);
    await until(proxy, (view) => view.nodes.some((node) => node.name === 'node3' && node.state === 'down'));
    await post(proxy, 'changes/current/cancel');
    await expectTold(proxy, target);
    await post(proxy, 'changes/current/resume', { noDrain: true });
    await goOn(proxy);
    expect((await ringOf(proxy)).nodes.map((node) => node.name)).toEqual(['node1', 'node2']);
    expect(await expectWhole(proxy, nodes.slice(0, 2))).toBeGreaterThan(KEYS * 0.6);
  });

  it('a source that is gone for good: its keys are given up, the change goes on', { timeout: 180_000 }, async () => {
    const { proxy, nodes } = await start('moving');
    const source = nodes[1] as RedisProcess;
    await expect(post(proxy, 'changes/current/resume', { noDrain: true })).rejects.toThrow(/NOTHING_TO_GIVE_UP/);
    await source.stop();
    await expectTold(proxy, source);
    await until(proxy, (view) => view.nodes.some((node) => node.name === 'node2' && node.state === 'down'));
    await post(proxy, 'changes/current/resume', { noDrain: true });
    await goOn(proxy);
    expect((await ringOf(proxy)).nodes.map((node) => node.name)).toEqual(['node1', 'node2', 'node3']);
    const client = await RawClient.connect(proxy.port);
    const keys = Array.from({ length: 500 }, (_, i) => `filler:${i}`);
    const owners = await ownersOf(proxy, keys);
    for (const [i, key] of keys.entries()) {
      const reply = await client.text('SET', key, 'anew');
      if (owners[i] === source.address) expect(reply).toMatch(/^-NODEDOWN node node2/);
      else expect(reply).toBe('+OK\r\n');
    }
  });

  it('a target that refuses keys: paused with its words; cancelled, nothing is lost', {
    timeout: 180_000,
  }, async () => {
    const { proxy, nodes } = await start('moving');
    const target = nodes[2] as RedisProcess;
    // A node that refuses from the start is not let in.
    await target.client().call('ACL', 'SETUSER', 'default', '-restore');
    await expectPaused(proxy, target);
    expect((await ringOf(proxy)).change?.error).toMatch(/refused RESTORE: NOPERM/);
    await post(proxy, 'changes/current/cancel');
    await goOn(proxy);
    expect(await expectWhole(proxy, nodes)).toBe(KEYS);
  });

  it('a proxy that is killed with a stalled node holds moved keys until the node has dropped its moves', {
    timeout: 180_000,
  }, async () => {
    const nodes = await startRedises(3);
    const args = ['--state-dir', tempFolder('state')];
    const options = { nodes: nodes.slice(0, 2), config: SETTINGS, args, allowLog: [...EXPECTED, /that exists wins/] };
    const first = await startRingproxy(options);
    await fill(first, KEYS);
    await post(first, 'changes', add('node3', nodes[2]));
    await post(first, 'changes/current/throttle', { keysPerSecond: 1500 });
    await until(first, (view) => (view.change?.keysMoved ?? 0) > 300);
    const target = nodes[2] as RedisProcess;
    stall(target);
    first.kill('SIGKILL');
    await first.child.exited;
    const second = await startRingproxy(options);
    const waiting = await until(second, (view) => view.change === null || view.change.error !== null);
    expect(waiting.change?.error).toMatch(new RegExp(`waits for node3 \\(${target.address}\\)`));
    await expectServed(second, nodes[0] as RedisProcess);
    target.kill('SIGCONT');
    await goOn(second);
    expect(await expectWhole(second, nodes)).toBe(KEYS);
  });
});

describe('before anything moves', () => {
  it('a target without the room is refused; one that would evict is warned of', async () => {
    const { proxy, nodes } = await start('stable');
    const target = nodes[2] as RedisProcess;
    await target.client().config('SET', 'maxmemory', '1500kb');
    await expect(post(proxy, 'changes', add('node3', target))).rejects.toThrow(
      /NO_ROOM.*has room for .* MB, but about/,
    );
    await target.client().config('SET', 'maxmemory-policy', 'allkeys-lru');
    const answer = await fetch(`${proxy.admin}/v1/ring/changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...add('node3', target), dryRun: true }),
    });
    expect(await answer.json()).toMatchObject({
      warnings: expect.arrayContaining([expect.stringMatching(/will evict keys \(allkeys-lru\)/)]),
    });
  });

  it('a dry run names the largest keys that would move', async () => {
    const { proxy, nodes } = await start('stable');
    const client = proxy.client();
    for (let i = 0; i < 30; i++) await client.set(`large:${i}`, Buffer.alloc(100_000 * (i + 1)));
    const answer = await fetch(`${proxy.admin}/v1/ring/changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...add('node3', nodes[2]), dryRun: true }),
    });
    const { survey } = (await answer.json()) as {
      survey: { largest: { key: string; bytes: number }[]; keys: number; complete: boolean };
    };
    expect(survey.complete).toBe(true);
    expect(survey.keys).toBeGreaterThan(KEYS / 5);
    expect(survey.largest).toHaveLength(10);
    const large = survey.largest.filter((key) => key.key.startsWith('large:'));
    expect(large.length).toBeGreaterThan(2);
    const sizes = survey.largest.map((key) => key.bytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect((await ringOf(proxy)).change).toBeNull();
  });
});

describe('the history of changes', () => {
  it('survives a restart', async () => {
    const nodes = await startRedises(2);
    const args = ['--state-dir', tempFolder('state')];
    const first = await startRingproxy({ nodes: nodes.slice(0, 1), args });
    await post(first, 'changes', add('node2', nodes[1]));
    await settled(first);
    const history = await (await fetch(`${first.admin}/v1/ring/history`)).json();
    await first.stop();
    const second = await startRingproxy({ nodes: nodes.slice(0, 1), args, allowLog: [/that exists wins/] });
    expect(await (await fetch(`${second.admin}/v1/ring/history`)).json()).toEqual(history);
  });
});
