import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Claim, MemberInfo } from '../../../src/topology/state/fleet.js';
import { firstState, nextMembers, type RingState } from '../../../src/topology/state/ring-state.js';
import { giveUp, move, prepare, turn } from '../../../src/topology/state/transitions.js';
import { LocalStore } from '../../../src/topology/store/local-store.js';
import { COORDINATOR } from '../../../src/topology/store/ring-store.js';
import { StateDir } from '../../../src/topology/store/state-dir.js';
import { atEnd } from '../../support/cleanup.js';
import { tempFolder } from '../../support/temp-folder.js';
import { describeRingStore, type Place } from './contract.js';
import { describeGroupRecords } from './groups-contract.js';
import { describeMasterRecords } from './masters-contract.js';

const INFO: MemberInfo = { admin: '', version: '1.0.0', workers: 1, startedAt: '2026-01-01T00:00:00.000Z', format: 1 };

const notLost = (): never => {
  throw new Error('the lock was lost');
};

function storeOn(folder: string, proxyId: string): LocalStore {
  const store = new LocalStore(proxyId, new StateDir(folder, notLost));
  atEnd(() => store.close());
  return store;
}

const onDirectory = async (): Promise<Place<LocalStore>> => {
  const folder = tempFolder('state');
  return {
    open: async (proxyId) => {
      const store = storeOn(folder, proxyId);
      await store.open();
      return store;
    },
    // What a process leaves behind differs from what it closes only in the lock, which is tested by itself.
    kill: (store) => store.close(),
  };
};

describeRingStore('a state directory', onDirectory);
describeGroupRecords('a state directory', onDirectory);
describeMasterRecords('a state directory', onDirectory);

const stable: RingState = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 2 }], {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '',
  vnodes: 160,
  weighting: 'own',
});
const preparing = prepare(stable, {
  id: 'c',
  kind: 'add',
  members: nextMembers(stable, { add: [{ name: 'b', address: '127.0.0.1:2', weight: 1 }] }),
  startedAt: '2026-01-01T00:00:00.000Z',
  summary: 'add b',
  undrained: [],
  processes: [],
});
const moving = move(preparing, []);

interface Stage {
  readonly folder: string;
  readonly store: LocalStore;
  readonly claim: Claim;
  /** Records a state after the last one. */
  readonly save: (state: RingState) => Promise<void>;
  /** What the file says. */
  readonly kept: () => { revision: number; proxies: string[]; change: { phase: string } | null };
}

async function stage(proxyId = 'p1', folder = tempFolder('state')): Promise<Stage> {
  const store = storeOn(folder, proxyId);
  await store.open();
  await store.load();
  const claim = await store.claim(COORDINATOR, proxyId, 'quick');
  if (claim === null) throw new Error('refused');
  const save = async (state: RingState): Promise<void> => {
    const seen = (await store.load())?.revision ?? null;
    expect(await store.compareAndSave(seen, state, claim)).not.toBeNull();
  };
  const kept = (): ReturnType<Stage['kept']> => JSON.parse(readFileSync(join(folder, 'ring.json'), 'utf8'));
  return { folder, store, claim, save, kept };
}

/** The directory's next writes fail, also for root, as with a full disk. @returns what mends it */
function breakDirectory(folder: string): () => void {
  mkdirSync(join(folder, 'ring.json.new'));
  return () => rmdirSync(join(folder, 'ring.json.new'));
}

describe('the store of a proxy that is alone', () => {
  it('needs no disk to raise a fence, nor to take it back: keys are not held for it', async () => {
    const { folder, save, kept, store } = await stage();
    await save(stable);
    const mend = breakDirectory(folder);
    await save(preparing);
    await expect(save(moving)).rejects.toMatchObject({ code: 'STATE_DIR' });
    await save(giveUp(preparing));
    expect((await store.load())?.state).toEqual(stable);
    mend();
    await save(preparing);
    await save(moving);
    expect(kept().change?.phase).toBe('moving');
    breakDirectory(folder);
    await save(turn(moving));
    await save(moving);
    expect(kept().change?.phase).toBe('moving');
  });

  it('takes no phase of a change back that it could not record', async () => {
    const { folder, save, store } = await stage();
    await save(stable);
    await save(preparing);
    const before = await store.load();
    breakDirectory(folder);
    await expect(save(moving)).rejects.toMatchObject({ code: 'STATE_DIR' });
    expect(await store.load()).toEqual(before);
  });

  it('names every proxy whose connections the nodes may have, and forgets them when it is told to', async () => {
    const first = await stage('p1');
    await first.save(stable);
    await first.store.close();
    const second = await stage('p2', first.folder);
    await second.store.register('p2', INFO, (await second.store.load())?.revision ?? -1);
    expect(second.kept().proxies).toEqual(['p1', 'p2']);
    await second.store.close();
    const third = await stage('p3', first.folder);
    await third.store.register('p3', INFO, (await third.store.load())?.revision ?? -1);
    expect(await third.store.members()).toMatchObject([
      { id: 'p1', alive: false, fencedOff: true },
      { id: 'p2', alive: false, fencedOff: true },
      { id: 'p3', alive: true, fencedOff: false },
    ]);
    await third.store.deregister(['p1', 'p2']);
    await third.save(preparing);
    await third.save(moving);
    expect(third.kept().proxies).toEqual(['p3']);
  });

  it('takes up a directory of before records had revisions, with its change and its proxies', async () => {
    const folder = tempFolder('state');
    writeFileSync(join(folder, 'ring.json'), JSON.stringify({ format: 1, proxies: ['old'], ...moving }));
    const { store, save, kept } = await stage('p1', folder);
    expect(await store.load()).toEqual({ revision: 0, state: moving });
    expect(await store.register('p1', INFO, 0)).not.toBeNull();
    expect(kept()).toMatchObject({ proxies: ['old', 'p1'], change: { phase: 'moving' } });
    await save(stable);
    expect(kept().revision).toBeGreaterThan(0);
  });

  it('keeps nothing without a directory', async () => {
    const store = new LocalStore('p1', null);
    await store.open();
    const claim = await store.claim(COORDINATOR, 'p1', 'quick');
    if (claim === null) throw new Error('refused');
    await store.compareAndSave(null, moving, claim);
    expect((await store.load())?.state).toEqual(moving);
    await store.rehearse(moving);
    await store.close();
    expect(await new LocalStore('p2', null).load()).toBeNull();
  });
});
