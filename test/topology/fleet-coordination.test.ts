/** Real proxies that agree in a real etcd: whichever is asked, one decides, and another one when that one is gone. */
import { describe, expect, it } from 'vitest';
import type { ChangeAccepted, HistoryEntry } from '../../src/admin/api.js';
import { hasEtcd } from '../support/etcd-process.js';
import { type Fleet, type FleetProxy, startFleet, TROUBLE } from '../support/fleet.js';
import { add, fill, post } from '../support/ring-api.js';

const KEYS = 3000;

interface Answer {
  readonly status: number;
  readonly body: {
    readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
  } & Partial<ChangeAccepted>;
}

async function ask(proxy: FleetProxy, path: string, body: object = {}): Promise<Answer> {
  const answer = await fetch(`${proxy.admin}/v1/ring/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Answer['body'] };
}

async function history(proxy: FleetProxy): Promise<HistoryEntry[]> {
  return (await (await fetch(`${proxy.admin}/v1/ring/history`)).json()) as HistoryEntry[];
}

/** @returns proxies that do not coordinate */
async function bystanders(fleet: Fleet): Promise<[FleetProxy, FleetProxy]> {
  const coordinator = await fleet.coordinator();
  const [first, second] = fleet.running.filter((proxy) => proxy !== coordinator);
  if (first === undefined || second === undefined) throw new Error('there are too few');
  return [first, second];
}

async function expectAllKeys(fleet: Fleet): Promise<void> {
  for (const proxy of fleet.running) {
    const client = proxy.process.client();
    const pipeline = client.pipeline();
    for (let i = 0; i < KEYS; i++) pipeline.exists(`filler:${i}`);
    const found = (await pipeline.exec()) ?? [];
    expect(found.filter(([, there]) => there !== 1)).toEqual([]);
  }
}

describe.skipIf(!hasEtcd)('a change of a ring that three proxies serve', () => {
  it('is begun, steered and followed at any of them; of two at the same instant one wins, and the other says who', {
    timeout: 120_000,
  }, async () => {
    const fleet = await startFleet({ spares: 2, workers: 2, allowLog: TROUBLE });
    const [first, second] = await bystanders(fleet);
    await fill(first.process, KEYS);
    const dry = await ask(first, 'changes', { ...add('node4', fleet.spares[0]), dryRun: true });
    expect(dry).toMatchObject({ status: 200, body: { dryRun: true, generation: 2 } });
    const answers = await Promise.all([
      ask(first, 'changes', { ...add('node4', fleet.spares[0]), throttle: 100 }),
      ask(second, 'changes', { ...add('node5', fleet.spares[1]), throttle: 100 }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const won = answers[0].status === 200 ? first : second;
    const lost = answers.find(({ status }) => status === 409);
    expect(lost?.body.error).toMatchObject({ code: 'CHANGE_RUNNING' });
    expect(lost?.body.error?.message).toContain(`asked for at the proxy ${await won.id()}`);
    await ask(second, 'changes/current/pause');
    await fleet.everyone('paused', ({ change }) => change?.paused === true);
    await ask(first, 'changes/current/throttle', { keysPerSecond: 200 });
    await fleet.everyone('throttled', ({ change }) => change?.throttle === 200);
    expect(await ask(second, 'changes/current/cancel')).toMatchObject({ status: 200 });
    await ask(first, 'changes/current/throttle', { keysPerSecond: 0 });
    const view = await fleet.settled();
    expect(view).toMatchObject({ generation: 3, phase: 'stable' });
    expect(view.nodes).toHaveLength(3);
    await expectAllKeys(fleet);
    const [, last] = await history(first);
    expect(last).toMatchObject({ kind: 'cancel', by: await second.id() });
  });

  it('goes on with another coordinator when that one is killed, or has never begun', { timeout: 120_000 }, async () => {
    const fleet = await startFleet({ spares: 1, config: 'member-ttl: 4s\n', allowLog: TROUBLE });
    const [first, second] = await bystanders(fleet);
    await fill(first.process, KEYS);
    await post(first, 'changes', { ...add('node4', fleet.spares[0]), throttle: 20 });
    await fleet.everyone('keys move', ({ change }) => (change?.keysMoved ?? 0) > 20);
    const coordinator = await fleet.coordinator();
    const dead = await coordinator.id();
    await coordinator.kill();
    await fleet.everyone('another one decides', ({ proxies }) =>
      proxies.some((one) => one.coordinator && one.id !== dead),
    );
    await expect
      .poll(async () => (await ask(first, 'changes/current/throttle', { keysPerSecond: 0 })).status, {
        timeout: 30_000,
      })
      .toBe(200);
    expect(await fleet.settled()).toMatchObject({ generation: 2, phase: 'stable' });
    await expectAllKeys(fleet);
    // The dead one is passed over by itself: the next change waits for nobody.
    await fleet.everyone('it is passed over', ({ proxies }) => proxies.length === 2);
    expect(await ask(second, 'changes', { kind: 'remove', remove: ['node4'] })).toMatchObject({ status: 200 });
    expect(await fleet.settled()).toMatchObject({ generation: 3 });
    await expectAllKeys(fleet);
  });

  it('is given up where a proxy does not answer, with its name; nothing has moved', { timeout: 120_000 }, async () => {
    const fleet = await startFleet({ spares: 1, allowLog: TROUBLE });
    const [first, second] = await bystanders(fleet);
    const id = await second.id();
    second.stall();
    const began = performance.now();
    const answer = await ask(first, 'changes', add('node4', fleet.spares[0]));
    expect(performance.now() - began).toBeLessThan(6000);
    second.goOn();
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'FENCE_TIMEOUT' } } });
    expect(answer.body.error?.message).toContain(
      `the proxy ${id} (${second.admin}), whose lease holds, has not answered`,
    );
    await fleet.everyone('it is as it was', ({ phase, generation }) => phase === 'stable' && generation === 1);
    expect(await ask(second, 'changes', add('node4', fleet.spares[0]))).toMatchObject({ status: 200 });
    await fleet.settled();
  });
});

it.skipIf(!hasEtcd)('a fence over three proxies with two workers each holds keys for less than 100 ms', async () => {
  const fleet = await startFleet({ spares: 1, workers: 2, allowLog: TROUBLE });
  const [first] = await bystanders(fleet);
  const stood: number[] = [];
  for (let i = 0; i < 3; i++) {
    for (const change of [add('node4', fleet.spares[0]), { kind: 'remove', remove: ['node4'] }]) {
      const before = await fenceSeconds(first);
      expect(await ask(first, 'changes', change)).toMatchObject({ status: 200 });
      await fleet.settled();
      stood.push(1000 * ((await fenceSeconds(first)) - before));
    }
  }
  // A busy machine is no failure: the fastest one tells what it takes.
  expect(Math.min(...stood), `they stood for ${stood.map((ms) => ms.toFixed(0)).join(', ')} ms`).toBeLessThan(100);
});

/** For how long fences stood, as a proxy has seen it. */
async function fenceSeconds(proxy: FleetProxy): Promise<number> {
  const metrics = await (await fetch(`${proxy.admin}/metrics`)).text();
  return Number(/^ringproxy_fence_duration_seconds_sum(?:\{.*\})? (\S+)/m.exec(metrics)?.[1] ?? Number.NaN);
}
