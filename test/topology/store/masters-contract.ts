/** What every store keeps to of the masters of followed nodes, as `contract.ts` of the ring. */
import { describe, expect, it } from 'vitest';
import type { MasterRecord, MasterRecords } from '../../../src/topology/store/master-records.js';
import type { RingStore } from '../../../src/topology/store/ring-store.js';
import type { Place } from './contract.js';

/** As `nodeKey` gives it. */
const NODE = 'a\nsentinel://127.0.0.1:26379/cache';
const first: MasterRecord = {
  ...{ address: '127.0.0.1:1', epoch: 3, history: 'h', former: null, serial: 1 },
  ...{ left: ['p1'], settled: true, since: '2026-01-01T00:00:00.000Z' },
};
const second: MasterRecord = { ...first, address: '127.0.0.1:2', epoch: null, former: '127.0.0.1:1', settled: false };

export function describeMasterRecords(name: string, create: () => Promise<Place<RingStore & MasterRecords>>): void {
  describe(`${name} keeps who is master of a node`, () => {
    it('as it was recorded last, over restarts, against who has not seen it, and tells of it', async () => {
      const place = await create();
      const store = await place.open('p1');
      const told: unknown[] = [];
      store.watch((event) => {
        if (event.kind === 'master') told.push([event.node, event.master?.record.address ?? null]);
      });
      expect(await store.loadMaster(NODE)).toBeNull();
      const revision = await store.saveMaster(NODE, null, first);
      expect(await store.saveMaster(NODE, null, second)).toBeNull();
      const later = await store.saveMaster(NODE, revision, second);
      expect(await store.saveMaster(NODE, revision, first)).toBeNull();
      expect(await store.loadMaster(NODE)).toEqual({ revision: later, record: second });
      await store.saveMaster('b\n127.0.0.1:1,127.0.0.1:2', null, first);
      await store.forgetMaster(NODE);
      await store.forgetMaster(NODE);
      expect(await store.loadMaster(NODE)).toBeNull();
      await expect
        .poll(() => told)
        .toEqual([
          [NODE, '127.0.0.1:1'],
          [NODE, '127.0.0.1:2'],
          ['b\n127.0.0.1:1,127.0.0.1:2', '127.0.0.1:1'],
          [NODE, null],
        ]);
      await store.saveMaster(NODE, null, second);
      await place.kill(store);
      const next = await place.open('p2');
      expect((await next.loadMaster(NODE))?.record).toEqual(second);
      expect((await next.loadMaster('b\n127.0.0.1:1,127.0.0.1:2'))?.record).toEqual(first);
    });
  });
}
