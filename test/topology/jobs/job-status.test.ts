import { expect, it } from 'vitest';
import { Stopwatch } from '../../../src/time/stopwatch.js';
import { JobStatus } from '../../../src/topology/jobs/job-status.js';
import type { Claim, MoveRecord } from '../../../src/topology/state/fleet.js';
import { emptyRecord } from '../../../src/topology/state/move-records.js';
import type { RunningChange } from '../../../src/topology/state/ring-state.js';
import { moverJob } from '../../../src/topology/store/ring-store.js';

const CHANGE: RunningChange = {
  ...{ id: 'change-1', kind: 'add', phase: 'moving', members: [], startedAt: '2026-01-01T00:00:00.000Z' },
  ...{ summary: 'add c', undrained: [], processes: [] },
};
const CLAIM: Claim = { job: moverJob('b'), holder: 'proxy-2', revision: 7, since: '2026-01-01T00:00:00.000Z' };

function stage() {
  const on = {
    change: CHANGE,
    records: [emptyRecord('a'), emptyRecord('b')] as MoveRecord[],
    swept: new Set<number>(),
    now: 0,
  };
  const status = new JobStatus(
    {
      change: () => on.change,
      records: {
        get all() {
          return on.records;
        },
        sum: (count) => on.records.reduce((sum, record) => sum + count(record), 0),
        claimOf: (name) => (name === 'b' ? CLAIM : null),
      },
      isSwept: (place) => on.swept.has(place),
      keysEstimated: 100,
    },
    new Stopwatch(() => on.now),
  );
  return { on, status };
}

it('counts over all sources, and keys that were dropped also those of the turns before', () => {
  const { on, status } = stage();
  on.change = { ...CHANGE, keysDropped: 4, throttle: 500 };
  on.records = [
    { ...emptyRecord('a'), keysMoved: 5, bytesMoved: 50, keysDropped: 1 },
    { ...emptyRecord('b'), keysMoved: 2, bytesMoved: 20, keysDropped: 2 },
  ];
  const { keysMoved, bytesMoved, keysDropped, keysEstimated, keysPerSecond } = status;
  expect({ keysMoved, bytesMoved, keysDropped, keysEstimated, keysPerSecond }).toEqual({
    ...{ keysMoved: 7, bytesMoved: 70, keysDropped: 7, keysEstimated: 100, keysPerSecond: 500 },
  });
});

it('shows of each source who moves it, and whether it is done: as was told, or as this proxy knows', () => {
  const { on, status } = stage();
  const shown = () => status.sources.map(({ node, done, owner }) => [node, done, owner]);
  on.records = [{ ...emptyRecord('a'), swept: true }, emptyRecord('b')];
  expect(shown()).toEqual([
    ['a', true, ''],
    ['b', false, 'proxy-2'],
  ]);
  on.swept.add(1);
  expect(shown()[1]).toEqual(['b', true, 'proxy-2']);
});

it('is paused when the record says so, or a source that is not swept waits', () => {
  const { on, status } = stage();
  expect(status.paused).toBe(false);
  on.records = [{ ...emptyRecord('a'), paused: true, swept: true }, emptyRecord('b')];
  expect(status.paused).toBe(false);
  on.records = [{ ...emptyRecord('a'), paused: true }, emptyRecord('b')];
  expect(status.paused).toBe(true);
  on.records = [emptyRecord('a'), emptyRecord('b')];
  on.change = { ...CHANGE, paused: true };
  expect(status.paused).toBe(true);
});

it('names first what keeps all from going on, then what keeps a source waiting, then what a mover says', () => {
  const { on, status } = stage();
  expect(status.error).toBeNull();
  on.records = [{ ...emptyRecord('a'), error: 'was swept all the same', swept: true }, emptyRecord('b')];
  expect(status.error).toBeNull();
  on.records = [emptyRecord('a'), { ...emptyRecord('b'), error: 'out of memory' }];
  expect(status.error).toBe('out of memory');
  status.waitsFor(0, 'waits for a');
  expect(status.error).toBe('waits for a');
  status.failure = 'the store is full';
  expect(status.error).toBe('the store is full');
  status.failure = null;
  status.waitsFor(0, null);
  expect(status.error).toBe('out of memory');
});

it('does not count the time in which it is paused', () => {
  const { on, status } = stage();
  on.now = 3000;
  on.change = { ...CHANGE, paused: true };
  status.countTime();
  on.now = 9000;
  expect(status.seconds).toBe(3);
  on.change = CHANGE;
  status.countTime();
  on.now = 10_000;
  expect(status.seconds).toBe(4);
});
