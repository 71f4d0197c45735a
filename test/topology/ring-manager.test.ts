/** The way of a change through coordinator, store, participant and job, with everything around them held in hand. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
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

function last(stage: Stage): FakeMover {
  const mover = stage.movers.at(-1);
  if (mover === undefined) throw new Error('there is no mover');
  return mover;
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
    expect(stage.calls).toEqual([
      'publish preparing',
      'fence',
      'kill late',
      'kill late',
      'kill late',
      'mover',
      'publish moving moves',
    ]);
    expect(last(stage)).toMatchObject({ isSweeping: true, start: { resumed: false, earlier: null } });
    expect(last(stage).start.runIds).toEqual(['run of a', 'run of b', 'run of c']);
    last(stage).moved(7);
    expect(stage.manager.view()).toMatchObject({
      generation: 1,
      phase: 'moving',
      change: { kind: 'add', phase: 'moving', keysMoved: 7, sources: [{ owner: 'p1' }, { owner: 'p1' }] },
    });
    last(stage).swept();
    await expect.poll(() => stage.manager.history()).toHaveLength(2);
    expect(stage.manager.view()).toMatchObject({ generation: 2, phase: 'stable', change: null });
    expect((await stage.manager.history())[1]).toMatchObject({ kind: 'add', generation: 2, keysMoved: 7, by: 'p1' });
    expect(last(stage).isStopped).toBe(true);
    expect(stage.manager.bytesMoved).toBe(70);
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
    const there = last(stage);
    there.dropped(3);
    await stage.manager.throttle(50);
    stage.calls.length = 0;
    await stage.manager.cancel();
    const back = last(stage);
    expect(stage.calls).toEqual([
      'publish moving',
      'fence',
      'kill late',
      'kill late',
      'kill late',
      'mover',
      'publish moving moves',
    ]);
    expect(back).not.toBe(there);
    expect(back.start).toMatchObject({ resumed: false, earlier: there.memory });
    expect([back.keysPerSecond, there.isStopped]).toEqual([50, true]);
    expect(stage.manager.view()).toMatchObject({
      generation: 2,
      phase: 'moving',
      change: { kind: 'cancel', keysDropped: 3, sources: [{ owner: 'p1' }] },
    });
    back.swept();
    await expect.poll(() => stage.manager.view()).toMatchObject({ generation: 3, phase: 'stable' });
    expect(stage.manager.nodes.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('that is not acknowledged leaves the change and its mover as they were', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    const mover = last(stage);
    const before = stage.manager.view().change?.id;
    stage.answers.fence = () => Promise.resolve([{ acknowledged: false, why: 'get of client 7' }]);
    await expect(stage.manager.cancel()).rejects.toMatchObject({ code: 'FENCE_TIMEOUT' });
    expect(stage.movers).toEqual([mover]);
    expect(mover).toMatchObject({ held: false, isStopped: false });
    expect(stage.snapshots.at(-1)).toMatchObject({ generation: 1, phase: 'moving', moves: mover });
    expect(stage.manager.view().change).toMatchObject({ id: before, kind: 'add' });
  });

  it('whose mover does not hold still raises no fence', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    last(stage).holds = false;
    stage.calls.length = 0;
    await expect(stage.manager.cancel()).rejects.toMatchObject({ code: 'FENCE_TIMEOUT' });
    expect(stage.calls).toEqual([]);
    expect(last(stage).held).toBe(false);
  });

  it('comes too late while it is recorded that everything has moved', async () => {
    const stage = await start();
    await stage.manager.change(ADD_C);
    last(stage).swept();
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
  await stage.manager.cancel();
  last(stage).swept();
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
    await first.manager.change(ADD_C);
    last(first).dropped(2);
    const kept = (): unknown => JSON.parse(readFileSync(join(folder, 'ring.json'), 'utf8')).change?.keysDropped;
    await expect.poll(kept).toBe(2);
    await first.manager.throttle(9);
    await last(first).firstSeen(2, 'run of c, later');
    await first.end();
    const second = stageManager('p2', new LocalStore('p2', new StateDir(folder, () => {})));
    atEnd(() => second.manager.close());
    const dropped = gate<void>();
    second.answers.killPredecessors = () => dropped.promise;
    await second.manager.bootstrap(NODES, OPTIONS);
    // Held: nobody moves keys yet.
    expect(second.calls).toEqual(['publish moving', 'kill p1']);
    expect(second.manager.view()).toMatchObject({ generation: 1, phase: 'moving' });
    await expect(second.manager.cancel()).rejects.toMatchObject({ code: 'CHANGE_PREPARING' });
    await second.manager.pause();
    dropped.open();
    await expect.poll(() => second.movers).toHaveLength(1);
    await expect.poll(() => second.calls.at(-1)).toBe('publish moving moves');
    expect(last(second).start).toEqual({
      runIds: ['run of a', 'run of b', 'run of c, later'],
      earlier: null,
      resumed: true,
    });
    // As it was asked before keys move here.
    expect([last(second).keysPerSecond, last(second).paused]).toEqual([9, true]);
    await second.manager.resume();
    expect(last(second).paused).toBe(false);
    expect(second.manager.view().change).toMatchObject({ keysDropped: 2 });
  });

  it('moves no key of a source that another proxy has claimed: it says so, and holds them', async () => {
    const folder = tempFolder('state');
    const first = await start(folder);
    await first.manager.change(ADD_C);
    await first.end();
    const store = new LocalStore('p2', new StateDir(folder, () => {}));
    for (const source of ['a', 'b']) await store.claim(`mover/${source}`, 'p3', 'quick');
    const second = stageManager('p2', store);
    atEnd(() => second.manager.close());
    await second.manager.bootstrap(NODES, OPTIONS);
    await expect.poll(() => second.warnings.at(-1)).toMatch(/another proxy moves the keys of [ab]/);
    expect(second.movers).toEqual([]);
    expect(second.snapshots.at(-1)).toMatchObject({ phase: 'moving', moves: null });
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
    const inTheWay = join(folder, 'ring.json.new');
    mkdirSync(inTheWay);
    last(stage).swept();
    await expect.poll(() => stage.manager.view().change?.error).toContain('EISDIR');
    expect(stage.snapshots.at(-1)).toMatchObject({ phase: 'moving', moves: last(stage) });
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
