import { expect, it } from 'vitest';
import { SourceRecords } from '../../../src/topology/jobs/source-records.js';
import type { Claim, MoveRecord } from '../../../src/topology/state/fleet.js';
import { emptyRecord } from '../../../src/topology/state/move-records.js';
import { moverJob } from '../../../src/topology/store/ring-store.js';

const NAMES = ['a', 'b', 'c'];
const CLAIM: Claim = { job: moverJob('b'), holder: 'proxy-2', revision: 7, since: '2026-01-01T00:00:00.000Z' };

function moved(source: string, keysMoved: number): MoveRecord {
  return { ...emptyRecord(source), keysMoved };
}

function stage() {
  const on = {
    own: new Map<string, MoveRecord>(),
    /** What the store answers, one read after the other; the last one again and again. */
    moves: [async (): Promise<MoveRecord[]> => []],
    reads: 0,
    news: 0,
    warnings: [] as string[],
    isStopped: false,
  };
  const records = new SourceRecords([0, 2], {
    change: 'change-1',
    store: {
      claims: async () => [CLAIM],
      moves: (change) => {
        expect(change).toBe('change-1');
        const read = on.moves[Math.min(on.reads++, on.moves.length - 1)];
        return read?.() ?? Promise.resolve([]);
      },
    },
    nameOf: (source) => NAMES[source] ?? '',
    own: (source) => on.own.get(NAMES[source] ?? '') ?? null,
    isStopped: () => on.isStopped,
    onNews: () => {
      on.news++;
    },
    warn: (message) => on.warnings.push(message),
  });
  return { on, records };
}

it("this proxy's own mover knows more than the store, and of a source nobody has told of nothing has moved", async () => {
  const { on, records } = stage();
  on.moves = [async () => [moved('a', 5)]];
  await records.look();
  expect(records.all).toEqual([moved('a', 5), emptyRecord('c')]);
  on.own.set('a', moved('a', 8));
  expect(records.all).toEqual([moved('a', 8), emptyRecord('c')]);
  expect(records.sum(({ keysMoved }) => keysMoved)).toBe(8);
  expect(records.told('a')).toEqual(moved('a', 5));
});

it('what was told stays known when the change is over and the store has forgotten it', async () => {
  const { on, records } = stage();
  on.moves = [async () => [moved('a', 5)], async () => []];
  await records.look();
  await records.look();
  expect(on.news).toBe(2);
  expect(records.told('a')).toEqual(moved('a', 5));
});

it('news that come while the store is read are read as well, by one further read', async () => {
  const { on, records } = stage();
  let answer: (records: MoveRecord[]) => void = () => {};
  const held = new Promise<MoveRecord[]>((resolve) => {
    answer = resolve;
  });
  on.moves = [() => held, async () => [moved('a', 9)]];
  const looks = [records.look(), records.look(), records.look()];
  answer([moved('a', 1)]);
  await Promise.all(looks);
  expect(on.reads).toBe(2);
  expect(records.told('a')).toEqual(moved('a', 9));
});

it('a store that does not answer takes nothing away that is known', async () => {
  const { on, records } = stage();
  on.moves = [async () => [moved('a', 5)], () => Promise.reject(new Error('etcd is away'))];
  await records.look();
  await records.look();
  expect(records.told('a')).toEqual(moved('a', 5));
  expect(on.warnings).toEqual(['how far the others have moved keys is not known: etcd is away']);
});

it('claims are known by the name of the source', async () => {
  const { records } = stage();
  expect(records.claimOf('b')).toBeNull();
  await records.look();
  expect(records.claimOf('b')).toEqual(CLAIM);
  expect(records.claimOf('a')).toBeNull();
});

it('going on forgets why a source stood still, until others tell anew', () => {
  const { records } = stage();
  records.note({ ...moved('a', 5), paused: true, error: 'out of memory' });
  records.goOn();
  expect(records.told('a')).toEqual(moved('a', 5));
});

it('nothing is read when all is stopped', async () => {
  const { on, records } = stage();
  on.isStopped = true;
  await records.look();
  expect(on.reads).toBe(0);
});
