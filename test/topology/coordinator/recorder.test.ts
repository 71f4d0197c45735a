import { describe, expect, it } from 'vitest';
import { Recorder } from '../../../src/topology/coordinator/recorder.js';
import { firstState, type RingState } from '../../../src/topology/state/ring-state.js';
import { LocalStore } from '../../../src/topology/store/local-store.js';
import { COORDINATOR, type StoredRing } from '../../../src/topology/store/ring-store.js';
import { ManualTimers } from '../../support/manual-timers.js';

const stable = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 1 }], {
  ...{ hash: 'murmur3', distribution: 'ketama', hashTag: '', vnodes: 160, weighting: 'own' },
});
const next = (state: RingState): RingState => ({ ...state, generation: state.generation + 1 });

/** A store that can be told to fail. */
class FailingStore extends LocalStore {
  failure: Error | null = null;
  /** Read once more. */
  stale: StoredRing | null = null;

  override load(): Promise<StoredRing | null> {
    const { stale } = this;
    this.stale = null;
    return stale === null ? super.load() : Promise.resolve(stale);
  }

  override compareAndSave(...save: Parameters<LocalStore['compareAndSave']>): Promise<number | null> {
    return this.failure === null ? super.compareAndSave(...save) : Promise.reject(this.failure);
  }
}

async function stage(): Promise<{ store: FailingStore; recorder: Recorder; timers: ManualTimers }> {
  const store = new FailingStore('p1', null);
  const timers = new ManualTimers();
  const claim = await store.claim(COORDINATOR, 'p1', 'quick');
  if (claim === null) throw new Error('refused');
  const recorder = new Recorder(store, claim, timers);
  await recorder.record((state) => state ?? stable);
  return { store, recorder, timers };
}

describe('what the coordinator records', () => {
  it('is each time a step from what was recorded before, however many are asked for at once', async () => {
    const { store, recorder } = await stage();
    await Promise.all(Array.from({ length: 10 }, () => recorder.change(next)));
    expect((await store.load())?.state.generation).toBe(11);
  });

  it('is nothing when the step leaves all as it was', async () => {
    const { store, recorder } = await stage();
    const before = await store.load();
    expect(await recorder.change((state) => state)).toBe(before?.revision);
    expect(await store.load()).toEqual(before);
  });

  it('is refused once another proxy decides, which is named, and for good', async () => {
    const { store, recorder } = await stage();
    for (const claim of await store.claims()) await store.release(claim);
    const other = await store.claim(COORDINATOR, 'p2', 'quick');
    for (let again = 0; again < 2; again++) {
      await expect(recorder.change(next)).rejects.toMatchObject({
        code: 'COORDINATOR_LOST',
        message: expect.stringContaining('the proxy p2 gives it up, or goes on with it'),
      });
    }
    expect(recorder.isOver).toBe(true);
    expect(await recorder.changeAtLast(next, () => {})).toBeNull();
    if (other !== null) await store.release(other);
    await expect(recorder.change(next)).rejects.toMatchObject({ code: 'COORDINATOR_LOST' });
    expect((await store.load())?.state.generation).toBe(1);
  });

  it('is refused by a claim that the same proxy has claimed anew', async () => {
    const { store, recorder } = await stage();
    await store.claim(COORDINATOR, 'p1', 'quick');
    await expect(recorder.change(next)).rejects.toMatchObject({ code: 'COORDINATOR_LOST' });
  });

  it('is taken from what is there, where what was read was a moment old', async () => {
    const { store, recorder } = await stage();
    const old = await store.load();
    await recorder.change(next);
    store.stale = old;
    await recorder.change(next);
    expect((await store.load())?.state.generation).toBe(3);
    expect(recorder.isOver).toBe(false);
  });

  it('is not stopped by a step that failed', async () => {
    const { store, recorder } = await stage();
    store.failure = new Error('full');
    await expect(recorder.change(next)).rejects.toThrow('full');
    store.failure = null;
    await recorder.change(next);
    expect((await store.load())?.state.generation).toBe(2);
  });

  it('is tried again until it is recorded, or the proxy ends', async () => {
    const { store, recorder, timers } = await stage();
    const failures: unknown[] = [];
    store.failure = new Error('full');
    const recording = recorder.changeAtLast(next, (error) => failures.push(error));
    await expect.poll(() => timers.pending).toBe(1);
    timers.advance(500);
    await expect.poll(() => failures).toHaveLength(2);
    store.failure = null;
    timers.advance(500);
    expect(await recording).not.toBeNull();
    store.failure = new Error('full');
    const given = recorder.changeAtLast(next, () => {});
    await expect.poll(() => timers.pending).toBe(1);
    recorder.close();
    timers.advance(500);
    expect(await given).toBeNull();
  });
});
