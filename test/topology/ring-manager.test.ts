/** The way of a change through coordinator, store, participant and job, with everything around them held in hand. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OwnRingView } from '../../src/admin/api.js';
import type { FenceMember } from '../../src/topology/state/change-protocol.js';
import type { MemberInfo } from '../../src/topology/state/fleet.js';
import { LocalStore } from '../../src/topology/store/local-store.js';
import { StateDir } from '../../src/topology/store/state-dir.js';
import { atEnd } from '../support/cleanup.js';
import { tempFolder } from '../support/temp-folder.js';
import { ADD_C, type FakeMover, NODES, OPTIONS, type Stage, stageManager } from './manager-stage.js';

const INFO: MemberInfo = { admin: '', version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };

const KEY = Buffer.from('key');
const YES: FenceMember = { acknowledged: true, why: '' };

async function start(folder: string | null = null, proxyId = 'p1'): Promise<Stage & { end: () => Promise<void> }> {
  const store = new LocalStore(
    proxyId,
    folder === null
      ? null
      : new StateDir(folder, (why) => {
          throw new Error(why);
        }),
  );
  await store.open();
  const stage = stageManager(proxyId, store);
  let isEnded = false;
  const end = async (): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    await stage.manager.close();
    await store.close();
  };
  atEnd(end);
  await stage.manager.bootstrap(NODES, OPTIONS);
  return Object.assign(stage, { end });
}

/** The movers of the change that was begun last: of each source, when there are so many. */
async function moversOf(stage: Stage, count: number): Promise<readonly FakeMover[]> {
  await expect.poll(() => stage.movers.length).toBe(count);
  return stage.movers.filter(({ start }) => start.memory === stage.movers.at(-1)?.start.memory);
}

/** Every source is swept. */
async function sweepAll(movers: readonly FakeMover[]): Promise<void> {
  await Promise.all(movers.map((mover) => mover.swept()));
}

/** @returns a promise, and what resolves it */
function gate<T>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('a change', () => {
  it('goes from its fence to its end, each step recorded before it counts', async () => {
    const stage = await start();
    stage.calls.length = 0;
    const accepted = await stage.manager.change(ADD_C);
    expect(accepted).toMatchObject({ generation: 2, dryRun: false });
    expect(stage.calls.slice(0, 6)).toEqual([
      'publish preparing',
      'fence',
      'kill late',
      'kill late',
      'kill late',
      'publish moving moves',
    ]);
    const movers = await moversOf(stage, 2);
    expect(stage.calls.slice(6).sort()).toEqual(['mover of a', 'mover of b']);
    for (const mover of movers) {
      await expect.poll(() => mover.isSweeping).toBe(true);
      expect(mover.start.runIds).toEqual(['run of a', 'run of b', 'run of c']);
      expect(mover.start.memory.placeOf(mover.start.source, 2, 0, KEY)).toBe('source');
      expect(mover.start.right).toMatchObject({ holder: 'p1', source: mover.start.source });
    }
    movers[0]?.moved(7);
    expect(stage.manager.view()).toMatchObject({
      generation: 1,
      phase: 'moving',
      change: { kind: 'add', phase: 'moving', keysMoved: 7, sources: [{ owner: 'p1' }, { owner: 'p1' }] },
    });
    await movers[0]?.swept();
    expect(stage.manager.view()).toMatchObject({ phase: 'moving' });
    await movers[1]?.swept();
    await expect.poll(() => stage.manager.history()).toHaveLength(2);
    expect(stage.manager.view()).toMatchObject({ generation: 2, phase: 'stable', change: null });
    expect((await stage.manager.history())[1]).toMatchObject({ kind: 'add', generation: 2, keysMoved: 7, by: 'p1' });
    await expect.poll(() => movers.map(({ isStopped }) => isStopped)).toEqual([true, true]);
    expect(stage.manager.bytesMoved).toBe(70);
  });

  // Symptom: with workers, reads that a fence had held were answered TRYAGAIN on the node that was given up. Cause: that it
  // has no moved key was told behind the snapshot, by which they had been sent there meanwhile.
  it('that gives a node up is served by with its keys as missing from the first moment on', async () => {
    const stage = await start();
    const places: (readonly number[])[] = [];
    stage.onCall = () => {
      const { moves } = stage.snapshots.at(-1) ?? {};
      if (stage.calls.at(-1) === 'publish moving moves') places.push(moves?.sweptSources ?? []);
    };
    await stage.manager.change({ kind: 'remove', remove: ['b'], noDrain: true });
    await expect.poll(() => stage.manager.view().change).toBeNull();
    expect(places).toEqual([[1]]);
  });

  it('is given up, with the reason, when a process does not acknowledge', async () => {
    const stage = await start();
    stage.answers.fence = () => Promise.resolve([YES, { acknowledged: false, why: 'get of client 7' }]);
    await expect(stage.manager.change(ADD_C)).rejects.toMatchObject({
      code: 'FENCE_TIMEOUT',
      message: 'the change was given up, nothing has moved: get of client 7',
    });
    expect(stage.snapshots.at(-1)).toMatchObject({ generation: 1, phase: 'stable' });
    expect(stage.movers).toEqual([]);
    stage.answers.fence = () => Promise.resolve([YES]);
    expect(await stage.manager.change(ADD_C)).toMatchObject({ generation: 2 });
  });

  it('is given up when a node cannot drop late connections', async () => {
    const stage = await start();
    stage.answers.killLateConnections = () => Promise.reject(new Error('a (127.0.0.1:1) does not answer'));
    await expect(stage.manager.change(ADD_C)).rejects.toMatchObject({
      message: expect.stringContaining('does not answer'),
    });
    expect(stage.manager.view()).toMatchObject({ phase: 'stable', change: null });
  });

  it('is the only one', async () => {
    const stage = await start();
    const fence = gate<FenceMember[]>();
    stage.answers.fence = () => fence.promise;
    const first = stage.manager.change(ADD_C);
    await expect.poll(() => stage.calls).toContain('fence');
    expect(stage.manager.view()).toMatchObject({ phase: 'preparing', change: { phase: 'preparing' } });
    expect(stage.manager.stableRing).toBeNull();
    await expect(stage.manager.change(ADD_C)).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
    await expect(stage.manager.pause()).rejects.toMatchObject({ code: 'CHANGE_PREPARING' });
    fence.open([YES]);
    await first;
    await expect(stage.manager.change(ADD_C)).rejects.toMatchObject({ code: 'CHANGE_RUNNING' });
  });
});

describe('a cancel', () => {
  it('turns the change round: what was settled is known to who moves it back', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    const there = await moversOf(stage, 2);
    there[0]?.dropped(3);
    there[0]?.start.memory.settled.add(0, 0, KEY);
    await stage.manager.throttle(50);
    stage.calls.length = 0;
    await stage.manager.cancel();
    expect(stage.calls.slice(0, 6)).toEqual([
      'publish moving',
      'fence',
      'kill late',
      'kill late',
      'kill late',
      'publish moving moves',
    ]);
    const [back] = await moversOf(stage, 3);
    expect(back?.source).toBe('c');
    expect(back?.start.memory.placeOf(2, 0, 0, KEY)).toBe('source');
    expect(back?.start.memory.placeOf(2, 0, 0, Buffer.from('other'))).toBe('target');
    expect([back?.keysPerSecond, ...there.map(({ isStopped }) => isStopped)]).toEqual([50, true, true]);
    expect(stage.manager.view()).toMatchObject({
      generation: 2,
      phase: 'moving',
      change: { kind: 'cancel', keysDropped: 3, sources: [{ owner: 'p1' }] },
    });
    await back?.swept();
    await expect.poll(() => stage.manager.view()).toMatchObject({ generation: 3, phase: 'stable' });
    expect(stage.manager.nodes.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('that is not acknowledged leaves the change and its movers as they were', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    const movers = await moversOf(stage, 2);
    const { moves } = stage.snapshots.at(-1) ?? {};
    const before = stage.manager.view().change?.id;
    stage.answers.fence = () => Promise.resolve([{ acknowledged: false, why: 'get of client 7' }]);
    await expect(stage.manager.cancel()).rejects.toMatchObject({ code: 'FENCE_TIMEOUT' });
    expect(stage.movers).toEqual(movers);
    for (const mover of movers) expect(mover).toMatchObject({ held: null, isStopped: false });
    expect(stage.snapshots.at(-1)).toMatchObject({ generation: 1, phase: 'moving' });
    expect(stage.snapshots.at(-1)?.moves).toBe(moves);
    expect(stage.manager.view().change).toMatchObject({ id: before, kind: 'add' });
  });

  it('one of whose movers does not hold still raises no fence', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    const movers = await moversOf(stage, 2);
    for (const mover of movers.slice(1)) mover.holds = false;
    stage.calls.length = 0;
    await expect(stage.manager.cancel()).rejects.toMatchObject({ code: 'FENCE_TIMEOUT' });
    expect(stage.calls).toEqual([]);
    expect(movers.map(({ held }) => held)).toEqual([null, null]);
  });

  it('comes too late while it is recorded that everything has moved', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    await sweepAll(await moversOf(stage, 2));
    await expect(stage.manager.cancel()).rejects.toMatchObject({ code: 'CANNOT_CANCEL' });
    await expect.poll(() => stage.manager.phase).toBe('stable');
  });
});

/*
 * Symptom: while a cancel was recorded, the ring was shown with the generation and the nodes of the change back, and with
 * the change that it turned round: every node active, as in a ring that is stable.
 * Cause: what was recorded and what was carried out were two fields, replaced one after the other.
 */
it('what is shown of a ring is of one moment, and not stable while keys move', async () => {
  const stage = await start(tempFolder('state'));
  const seen = new Map<string, OwnRingView>();
  const look = (): void => {
    const view = stage.manager.view();
    const states = view.nodes.map(({ name, state }) => `${name} ${state}`).join(', ');
    seen.set(`${view.generation} ${view.phase}, ${view.change?.kind ?? 'none'}: ${states}`, view);
  };
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      // Every step of what waits for the store, and every turn of the event loop.
      for (let step = 0; step < 50; step++) {
        look();
        await Promise.resolve();
      }
      await new Promise(setImmediate);
    }
  })();
  stage.onCall = look;
  await stage.manager.change(ADD_C);
  await moversOf(stage, 2);
  await stage.manager.cancel();
  await sweepAll(await moversOf(stage, 3));
  await expect.poll(() => stage.manager.view()).toMatchObject({ generation: 3, phase: 'stable' });
  isOver = true;
  await watching;
  expect([...seen.keys()]).toEqual([
    '1 stable, none: a active, b active',
    '1 preparing, add: a active, b active, c joining',
    '1 moving, add: a active, b active, c joining',
    '2 moving, cancel: a active, b active, c leaving',
    '3 stable, none: a active, b active',
  ]);
});

describe('another member of the fleet', () => {
  async function withOther(): Promise<{ stage: Stage; store: LocalStore }> {
    const store = new LocalStore('p1', null);
    const stage = stageManager('p1', store);
    atEnd(() => stage.manager.close());
    await stage.manager.bootstrap(NODES, OPTIONS);
    await store.register('p2', INFO, (await store.load())?.revision ?? -1);
    return { stage, store };
  }

  it('is waited for: keys move when it has acknowledged this fence, too', async () => {
    const { stage, store } = await withOther();
    const changing = stage.manager.change(ADD_C);
    await expect.poll(async () => (await store.members())[0]?.answer?.acknowledged).toBe(true);
    await new Promise(setImmediate);
    expect(stage.manager.view()).toMatchObject({ phase: 'preparing' });
    const revision = (await store.load())?.revision ?? -1;
    await store.answer('p2', { revision: revision - 1, acknowledged: true, why: '' });
    await new Promise(setImmediate);
    expect(stage.manager.view()).toMatchObject({ phase: 'preparing' });
    await store.answer('p2', { revision, acknowledged: true, why: '' });
    expect(await changing).toMatchObject({ generation: 2 });
    expect(stage.manager.view()).toMatchObject({ phase: 'moving' });
  });

  it('keeps the ring as it is by its refusal', async () => {
    const { stage, store } = await withOther();
    const changing = stage.manager.change(ADD_C);
    await expect.poll(() => stage.calls).toContain('fence');
    const revision = (await store.load())?.revision ?? -1;
    await store.answer('p2', { revision, acknowledged: false, why: 'get of client 7 of p2' });
    await expect(changing).rejects.toMatchObject({ message: expect.stringContaining('client 7 of p2') });
    expect(stage.manager.view()).toMatchObject({ phase: 'stable' });
  });
});

describe('a proxy that starts again', () => {
  it('goes on with a change whose keys move, when the nodes have dropped its predecessor', async () => {
    const folder = tempFolder('state');
    const first = await start(folder);
    first.answers.runId = (node) => (node === 'c' ? '' : `run of ${node}`);
    await first.manager.change(ADD_C);
    const [mover] = await moversOf(first, 2);
    mover?.dropped(2);
    await first.manager.throttle(9);
    await mover?.firstSeen(2, 'run of c, later');
    await first.end();
    const second = stageManager('p2', new LocalStore('p2', new StateDir(folder, () => {})));
    atEnd(() => second.manager.close());
    const dropped = gate<void>();
    second.answers.killPredecessors = () => dropped.promise;
    await second.manager.bootstrap(NODES, OPTIONS);
    // Nobody moves keys yet.
    await expect.poll(() => second.calls).toEqual(['publish moving moves', 'kill p1', 'kill p1']);
    expect(second.manager.view()).toMatchObject({ generation: 1, phase: 'moving' });
    await expect(second.manager.cancel()).rejects.toMatchObject({ code: 'CHANGE_PREPARING' });
    await second.manager.pause();
    dropped.open();
    const movers = await moversOf(second, 2);
    expect(second.calls).toContain('kill movers of a');
    const [same] = movers.filter(({ source }) => source === mover?.source);
    expect(same?.start.runIds).toEqual(['run of a', 'run of b', 'run of c, later']);
    for (const { start, keysPerSecond, paused } of movers) {
      expect(paused).toBe(true);
      expect(start.memory.placeOf(start.source, 2, 0, KEY)).toBe('unknown');
      expect(keysPerSecond).toBe(9);
    }
    await second.manager.resume();
    expect(movers.map(({ paused }) => paused)).toEqual([false, false]);
    expect(second.manager.view().change).toMatchObject({ keysDropped: 2 });
  });

  it('moves no key of a source that another proxy has claimed, until that lets it go', async () => {
    const folder = tempFolder('state');
    const first = await start(folder);
    await first.manager.change(ADD_C);
    await first.end();
    const store = new LocalStore('p2', new StateDir(folder, () => {}));
    const claim = await store.claim('mover/a', 'p3', 'quick');
    const second = stageManager('p2', store);
    atEnd(() => second.manager.close());
    await second.manager.bootstrap(NODES, OPTIONS);
    expect((await moversOf(second, 1)).map(({ source }) => source)).toEqual(['b']);
    expect(second.manager.view().change?.sources).toMatchObject([{ owner: 'p3' }, { owner: 'p2' }]);
    if (claim !== null) await store.release(claim);
    expect((await moversOf(second, 2)).map(({ source }) => source)).toEqual(['b', 'a']);
  });

  it('has the nodes drop its predecessors at the next fence, and then no more', async () => {
    const folder = tempFolder('state');
    await (await start(folder)).end();
    const second = await start(folder, 'p2');
    second.answers.killPredecessors = () => Promise.reject(new Error('a does not answer'));
    await expect(second.manager.change(ADD_C)).rejects.toThrow('a does not answer');
    second.answers.killPredecessors = () => Promise.resolve();
    await second.manager.change(ADD_C);
    expect(second.calls.filter((call) => call.startsWith('kill p'))).toEqual(['kill p1', 'kill p1']);
    second.calls.length = 0;
    await second.manager.cancel();
    expect(second.calls.filter((call) => call.startsWith('kill p'))).toEqual([]);
  });
});

describe('a store that cannot be written', () => {
  it('is tried again when a change is done; clients are served meanwhile', async () => {
    const folder = tempFolder('state');
    const stage = await start(folder);
    await stage.manager.change(ADD_C);
    const movers = await moversOf(stage, 2);
    const inTheWay = join(folder, 'ring.json.new');
    mkdirSync(inTheWay);
    await sweepAll(movers);
    await expect.poll(() => stage.manager.view().change?.error).toContain('EISDIR');
    expect(stage.snapshots.at(-1)).toMatchObject({ phase: 'moving', moves: expect.anything() });
    await expect(stage.manager.cancel()).rejects.toMatchObject({ code: 'CANNOT_CANCEL' });
    rmdirSync(inTheWay);
    await expect.poll(() => stage.manager.view()).toMatchObject({ generation: 2, phase: 'stable' });
    expect(stage.warnings.filter((warning) => warning.includes('not recorded yet'))).toHaveLength(1);
  });

  it('gives a change up, and holds no key', async () => {
    const folder = tempFolder('state');
    const stage = await start(folder);
    mkdirSync(join(folder, 'ring.json.new'));
    await expect(stage.manager.change(ADD_C)).rejects.toMatchObject({ code: 'STATE_DIR' });
    expect(stage.snapshots.at(-1)).toMatchObject({ generation: 1, phase: 'stable' });
  });
});
