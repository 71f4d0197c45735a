import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstState } from '../../../src/topology/state/ring-state.js';
import { FleetFile, type KnownFleet } from '../../../src/topology/store/fleet-file.js';
import { tempFolder } from '../../support/temp-folder.js';

const state = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 2 }], {
  hash: 'murmur3',
  distribution: 'ketama',
  hashTag: '',
  vnodes: 160,
  weighting: 'own',
});

function known(revision: number, place = '/ringproxy/default'): KnownFleet {
  return { place, proxyId: 'p1', ring: { revision, state: { ...state, consistency: 'available' } } };
}

function file(): { readonly path: string; readonly fleet: FleetFile } {
  const path = join(tempFolder('state'), 'fleet.json');
  return { path, fleet: new FleetFile(path) };
}

describe('what a proxy of a fleet knew last', () => {
  it('is kept over a restart, for this user alone, since nodes may have passwords', async () => {
    const { path, fleet } = file();
    expect(await fleet.load('/ringproxy/default')).toBeNull();
    await fleet.save(known(7));
    expect(await new FleetFile(path).load('/ringproxy/default')).toMatchObject(known(7));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is the last one, however many come at once', async () => {
    const { path, fleet } = file();
    await Promise.all([1, 2, 3, 4, 5].map((revision) => fleet.save(known(revision))));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ ring: { revision: 5 } });
  });

  it('is nothing of another ring', async () => {
    const { fleet } = file();
    await fleet.save(known(7, '/ringproxy/other'));
    expect(await fleet.load('/ringproxy/default')).toBeNull();
  });

  it.each(['', '{}', '{"format":3}', 'null'])('is nothing where it cannot be read (%s)', async (text) => {
    const { path, fleet } = file();
    writeFileSync(path, text);
    expect(await fleet.load('/ringproxy/default')).toBeNull();
  });

  it('tells that it cannot be written, and can be again later', async () => {
    const { path, fleet } = file();
    mkdirSync(`${path}.new`);
    await expect(fleet.save(known(1))).rejects.toMatchObject({ code: 'EISDIR' });
    rmdirSync(`${path}.new`);
    await fleet.save(known(2));
    expect((await fleet.load('/ringproxy/default'))?.ring.revision).toBe(2);
  });
});
