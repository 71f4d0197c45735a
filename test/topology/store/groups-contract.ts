/** What every store keeps to of the groups of keys, as `contract.ts` of the ring. */
import { describe, expect, it } from 'vitest';
import { firstState } from '../../../src/topology/state/ring-state.js';
import type { GroupRecords, GroupsRecord } from '../../../src/topology/store/group-records.js';
import { COORDINATOR, type RingStore } from '../../../src/topology/store/ring-store.js';
import type { Place } from './contract.js';

type Store = RingStore & GroupRecords;

/** In an order that a map would not keep. */
function recordOf(nearTtl: string): GroupsRecord {
  const pages = { group: 'pages', prefixes: ['page:', 'html:'], policy: { cache: 'near', 'near-ttl': nearTtl } };
  const groups = [pages, { group: '7', prefixes: ['7:'], policy: {} }];
  return { groups, by: 'p1', at: '2026-01-01T00:00:00.000Z' };
}

/** @throws Error when it is refused */
async function save(store: Store, record: GroupsRecord): Promise<number> {
  const revision = await store.saveGroups((await store.loadGroups())?.revision ?? null, record);
  if (revision === null) throw new Error('refused');
  return revision;
}

export function describeGroupRecords(name: string, create: () => Promise<Place<Store>>): void {
  describe(`${name} keeps the groups of keys`, () => {
    it('as they were recorded last, over restarts', async () => {
      const place = await create();
      const store = await place.open('p1');
      expect(await store.loadGroups()).toBeNull();
      await save(store, recordOf('1s'));
      const revision = await save(store, recordOf('2s'));
      expect(await store.loadGroups()).toEqual({ revision, record: recordOf('2s') });
      await store.close();
      const next = await place.open('p2');
      expect(await next.loadGroups()).toEqual({ revision, record: recordOf('2s') });
      const reset = { ...recordOf('2s'), groups: null };
      const last = await save(next, reset);
      expect(last).toBeGreaterThan(revision);
      await place.kill(next);
      expect(await (await place.open('p3')).loadGroups()).toEqual({ revision: last, record: reset });
    });

    it('against writers that have not seen them as they are', async () => {
      const store = await (await create()).open('p1');
      const first = await save(store, recordOf('1s'));
      expect(await store.saveGroups(null, recordOf('2s'))).toBeNull();
      const second = await save(store, recordOf('2s'));
      expect(await store.saveGroups(first, recordOf('3s'))).toBeNull();
      expect(await store.loadGroups()).toEqual({ revision: second, record: recordOf('2s') });
      // Of many at once, one has seen what is there.
      const many = await Promise.all([1, 2, 3, 4].map((i) => store.saveGroups(second, recordOf(`${i}0s`))));
      expect(many.filter((revision) => revision !== null)).toHaveLength(1);
    });

    it('and tells whoever watches, in order, whatever becomes of the ring', async () => {
      const store = await (await create()).open('p1');
      const told: unknown[] = [];
      store.watch((event) => {
        if (event.kind === 'groups') told.push(event.groups);
      });
      const claim = await store.claim(COORDINATOR, 'p1', 'quick');
      if (claim === null) throw new Error('another one has it');
      const options = { hash: 'murmur3', distribution: 'ketama', hashTag: '', vnodes: 160, weighting: 'own' } as const;
      const first = await save(store, recordOf('1s'));
      await store.compareAndSave(null, firstState([{ name: 'a', address: '127.0.0.1:1', weight: 2 }], options), claim);
      const second = await save(store, recordOf('2s'));
      await expect
        .poll(() => told)
        .toEqual([
          { revision: first, record: recordOf('1s') },
          { revision: second, record: recordOf('2s') },
        ]);
    });
  });
}
