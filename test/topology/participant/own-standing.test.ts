import { expect, it } from 'vitest';
import { monotonicNow } from '../../../src/time/monotonic.js';
import { OwnStanding } from '../../../src/topology/participant/own-standing.js';
import type { Consistency } from '../../../src/topology/state/ring-state.js';

type Known = boolean | null;

/** A store that is read as a test says. */
class FakeStore {
  validUntil = Number.NEGATIVE_INFINITY;
  consistency: Consistency = 'strict';
  readonly reads: { readonly id: string; readonly answer: (known: Known) => void }[] = [];
  fencedOff = 0;
  readonly standing: OwnStanding;

  constructor(id = 'a') {
    const ports = {
      store: this,
      consistency: () => this.consistency,
      onFencedOff: () => {
        this.fencedOff++;
      },
    };
    this.standing = new OwnStanding(id, () => ports);
  }

  isKnownMember(id: string): Promise<Known> {
    return new Promise((answer) => this.reads.push({ id, answer }));
  }

  async answer(index: number, known: Known): Promise<void> {
    await expect.poll(() => this.reads.length).toBeGreaterThan(index);
    this.reads[index]?.answer(known);
  }
}

it('a right that holds needs no read, until its time is over', () => {
  const store = new FakeStore();
  store.validUntil = monotonicNow() + 60_000;
  expect(store.standing.holds('a')).toBe(true);
  expect(store.standing.holds('b')).toBe(false);
  store.validUntil = monotonicNow();
  expect(store.standing.holds('a')).toBe(false);
  expect(store.reads).toEqual([]);
});

it.each([
  [true, 'strict', 'speak'],
  [null, 'strict', 'unsure'],
  [null, 'available', 'speak'],
  [false, 'available', 'fenced-off'],
  [false, 'strict', 'fenced-off'],
] as const)('a read that says %s is, where %s holds: %s', async (known, consistency, ruling) => {
  const store = new FakeStore();
  store.consistency = consistency;
  const asked = store.standing.ask('a');
  await store.answer(0, known);
  expect(await asked).toBe(ruling);
  expect(store.fencedOff).toBe(known === false ? 1 : 0);
});

it('a store that fails to read leaves it unsure', async () => {
  const store = new FakeStore();
  store.isKnownMember = () => Promise.reject(new Error('gone'));
  expect(await store.standing.ask('a')).toBe('unsure');
});

/** What is under way may have been read before the node accepted the name of whoever asks now. */
it('who asks goes by no read that was under way before; all who wait share the next one', async () => {
  const store = new FakeStore();
  const first = store.standing.ask('a');
  await expect.poll(() => store.reads).toHaveLength(1);
  const others = [store.standing.ask('a'), store.standing.ask('a')];
  await store.answer(0, true);
  expect(await first).toBe('speak');
  await store.answer(1, false);
  expect(await Promise.all(others)).toEqual(['fenced-off', 'fenced-off']);
  expect(store.reads).toHaveLength(2);
});

it('a right that was taken away is none, whatever a read says that was under way', async () => {
  const store = new FakeStore();
  store.validUntil = Number.POSITIVE_INFINITY;
  const { revoked } = store.standing;
  const asked = store.standing.ask('a');
  await expect.poll(() => store.reads).toHaveLength(1);
  store.standing.revoke();
  await store.answer(0, true);
  expect(await asked).toBe('fenced-off');
  expect([store.standing.holds('a'), revoked.aborted]).toEqual([false, true]);

  store.standing.renew('b');
  expect([store.standing.holds('a'), store.standing.holds('b')]).toEqual([false, true]);
  expect(store.standing.revoked.aborted).toBe(false);
  expect(await store.standing.ask('a')).toBe('fenced-off');
});

/** A store that is cut off answers nothing, which takes longer to find out than a node may take to be connected to. */
it('where the ring is available, a store that does not answer keeps nobody waiting', async () => {
  const store = new FakeStore();
  store.consistency = 'available';
  expect(await store.standing.ask('a')).toBe('speak');
  expect(store.reads).toHaveLength(1);
});
