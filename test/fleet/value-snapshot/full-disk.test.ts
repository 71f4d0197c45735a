import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ValueSnapshot } from '../../../src/fleet/value-snapshot/value-snapshot.js';
import { NEVER } from '../../../src/fleet/values/key-state.js';
import { ValueStore } from '../../../src/fleet/values/store.js';
import { setting } from '../../../src/proxy/features/replicated/deltas.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { canMount, smallDisk } from '../../support/small-disk.js';

describe.skipIf(!canMount)('replicated values on a disk that is full', () => {
  it('leave the file as it was, and no half of a new one, and are written when there is room', async () => {
    const disk = smallDisk(256);
    const path = join(disk.folder, 'values.bin');
    const made = (): { store: ValueStore; snapshot: ValueSnapshot; said: string[] } => {
      const said: string[] = [];
      const say = (message: string): void => {
        said.push(message);
      };
      const store = new ValueStore({ databases: 1, limit: 2 ** 26, actor: 'a', wallNow: Date.now });
      const ports = { path, ring: '', store, timers: new ManualTimers(), knownUpTo: Date.now, info: say, warn: say };
      return { store, snapshot: new ValueSnapshot(ports), said };
    };
    const keysInFile = async (): Promise<number> => {
      const { store, snapshot } = made();
      await snapshot.open(null);
      await snapshot.restore({ isAlone: true, belongs: () => true });
      return store.size;
    };
    const { store, snapshot, said } = made();
    const write = async (key: string): Promise<void> => {
      store.write(0, key, setting(store.clock, Buffer.alloc(20_000), NEVER));
      snapshot.start();
      await snapshot.close();
    };
    await write('a');
    disk.fill();
    for (const key of ['b', 'c']) await write(key);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/cannot be kept in .*ENOSPC/);
    expect(readdirSync(disk.folder).sort()).toEqual(['ballast', 'values.bin']);
    expect(await keysInFile()).toBe(1);
    disk.makeRoom();
    await write('d');
    expect(await keysInFile()).toBe(4);
    expect(said).toHaveLength(1);
  });
});
