import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstState, nextMembers, type RingState } from '../../../src/topology/state/ring-state.js';
import { note } from '../../../src/topology/state/transitions.js';
import { type KeptRing, StateDir } from '../../../src/topology/store/state-dir.js';
import { tempFolder } from '../../support/temp-folder.js';

const state = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 2 }], {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '',
  vnodes: 160,
  weighting: 'own',
});
const moving: RingState = {
  ...state,
  change: {
    id: 'c',
    kind: 'add',
    phase: 'moving',
    members: nextMembers(state, { add: [{ name: 'b', address: '127.0.0.1:2', weight: 1 }] }),
    startedAt: '2026-01-01T00:00:00.000Z',
    summary: 'add b',
    undrained: [],
    processes: [],
  },
};

const kept = (revision: number, ring: RingState): KeptRing => ({
  revision,
  proxies: ['p0', 'p1'],
  moves: [{ source: 'a', keysDropped: 2, processes: [{ name: 'b', address: '127.0.0.1:2', runId: 'run of b' }] }],
  state: ring,
});

describe('the state directory', () => {
  it('is made when it is missing, and holds no ring at first', async () => {
    const directory = new StateDir(join(tempFolder('state'), 'deep', 'down'), () => {});
    await directory.open();
    expect(await directory.load()).toBeNull();
    await directory.close();
  });

  it('gives back what was saved last, with the change that was under way', async () => {
    const folder = tempFolder('state');
    const directory = new StateDir(folder, () => {});
    await directory.save(kept(1, state));
    await directory.save(kept(2, moving));
    expect(await directory.load()).toEqual(kept(2, moving));
    expect(readdirSync(folder)).toEqual(['ring.json']);
  });

  it('tells before anything depends on it whether a ring can be recorded, and leaves nothing of that', async () => {
    const folder = tempFolder('state');
    const directory = new StateDir(folder, () => {});
    await directory.save(kept(1, state));
    await directory.rehearse(kept(2, moving));
    expect(readdirSync(folder)).toEqual(['ring.json']);
    expect(await directory.load()).toEqual(kept(1, state));
    mkdirSync(join(folder, 'ring.json.try'));
    await expect(directory.rehearse(kept(2, moving))).rejects.toMatchObject({ code: 'STATE_DIR' });
    expect(await directory.load()).toEqual(kept(1, state));
  });

  // Symptom: a change that an operator had paused went on after a restart. Cause: what was kept of it was not read again.
  it('knows again what its operator has said of a change, and what the ring does without a store', async () => {
    const directory = new StateDir(tempFolder('state'), () => {});
    const said: RingState = { ...note(moving, 'c', { paused: true, throttle: 7 }), consistency: 'available' };
    await directory.save(kept(2, said));
    expect((await directory.load())?.state).toEqual(said);
  });

  // As versions of before wrote it: nothing of it has a revision, and a change knows nothing of processes.
  it('reads what was kept before records had revisions', async () => {
    const folder = tempFolder('state');
    const { change, ...rest } = moving;
    const { processes: _processes, ...older } = change ?? { processes: [] };
    writeFileSync(join(folder, 'ring.json'), JSON.stringify({ format: 1, ...rest, change: older }));
    const directory = new StateDir(folder, () => {});
    expect(await directory.load()).toEqual({ revision: 0, proxies: [], moves: [], state: moving });
  });

  // One that knows of no patterns would look elsewhere for keys: it must not serve, and format 1 is all that it reads.
  it.each([
    [[], 1],
    [['bull:{*}:'], 2],
  ])('of a ring with the hash tag patterns %j has format %i', async (hashTags, format) => {
    const folder = tempFolder('state');
    const directory = new StateDir(folder, () => {});
    const ring = kept(1, { ...state, options: { ...state.options, hashTags } });
    await directory.save(ring);
    expect(JSON.parse(readFileSync(join(folder, 'ring.json'), 'utf8'))).toMatchObject({ format });
    expect(await directory.load()).toEqual(ring);
  });

  it('says that it cannot be read rather than making a ring anew', async () => {
    const folder = tempFolder('state');
    const directory = new StateDir(folder, () => {});
    await directory.save(kept(2, moving));
    const file = join(folder, 'ring.json');
    const whole = readFileSync(file, 'utf8');
    const broken = [
      '',
      '{}',
      whole.slice(0, -20),
      whole.replace('"format": 1', '"format": 4'),
      whole.replace('"murmur3"', '"sha1"'),
      whole.replace('"hashTag": ""', '"hashTag": "", "hashTags": ["bull:"]'),
    ];
    for (const text of broken) {
      writeFileSync(file, text);
      await expect(directory.load()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });
});
