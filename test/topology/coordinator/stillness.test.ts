import { describe, expect, it } from 'vitest';
import { RingproxyError } from '../../../src/errors.js';
import { DEFAULT_RING_OPTIONS } from '../../../src/ring/ring.js';
import { standStill } from '../../../src/topology/coordinator/stillness.js';
import type { FleetMember } from '../../../src/topology/state/fleet.js';
import { firstState, type RingState } from '../../../src/topology/state/ring-state.js';
import type { StoreEvent } from '../../../src/topology/store/ring-store.js';
import { ManualTimers } from '../../support/manual-timers.js';

const ASKED = 7;
const STABLE = firstState([{ name: 'n', address: '127.0.0.1:1', weight: 1 }], DEFAULT_RING_OPTIONS);
const MOVING: RingState = {
  ...STABLE,
  change: {
    id: 'this',
    kind: 'add',
    phase: 'moving',
    members: STABLE.members,
    startedAt: '2026-01-01T00:00:00Z',
    summary: 'add m',
    undrained: [],
    processes: [],
    still: true,
  },
};

/** One proxy, asked to hold still, which answers when a test says so. */
class Stage {
  state = MOVING;
  member: FleetMember = { id: 'p1', alive: true, fencedOff: false, answer: null, info: null };
  readonly timers = new ManualTimers();
  readonly #listeners = new Set<(event: StoreEvent) => void>();

  ask(): Promise<string> {
    const asked = standStill(
      ASKED,
      'this',
      {
        store: {
          members: async () => [this.member],
          watch: (listener) => {
            this.#listeners.add(listener);
            return () => this.#listeners.delete(listener);
          },
        },
        signal: new AbortController().signal,
        state: () => this.state,
        describe: ({ id }) => `the proxy ${id}`,
      },
      this.timers,
    );
    return asked.then(
      (objection) => objection?.message ?? 'still',
      (error: unknown) => (error instanceof RingproxyError ? error.code : 'failed'),
    );
  }

  tell(event: StoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get watchers(): number {
    return this.#listeners.size;
  }
}

describe('moves that are to hold still', () => {
  it('do when every proxy has said so', async () => {
    const stage = new Stage();
    const asked = stage.ask();
    await new Promise(setImmediate);
    stage.member = { ...stage.member, answer: { revision: ASKED, acknowledged: true, why: '' } };
    stage.tell({ kind: 'members', revision: ASKED + 1 });
    expect(await asked).toBe('still');
    expect([stage.watchers, stage.timers.pending]).toEqual([0, 0]);
  });

  it('are not waited for when the change ends meanwhile', async () => {
    const stage = new Stage();
    const asked = stage.ask();
    await new Promise(setImmediate);
    stage.tell({ kind: 'ring', ring: { revision: ASKED + 1, state: STABLE } });
    expect(await asked).toBe('NO_CHANGE');
    expect([stage.watchers, stage.timers.pending]).toEqual([0, 0]);
  });

  it('are not waited for when the change had ended before they were asked', async () => {
    const stage = new Stage();
    stage.state = STABLE;
    expect(await stage.ask()).toBe('NO_CHANGE');
    expect([stage.watchers, stage.timers.pending]).toEqual([0, 0]);
  });

  it('are given up when a proxy does not answer', async () => {
    const stage = new Stage();
    const asked = stage.ask();
    await new Promise(setImmediate);
    stage.timers.advance(60_000);
    expect(await asked).toBe('the proxy p1, has not answered');
    expect([stage.watchers, stage.timers.pending]).toEqual([0, 0]);
  });
});
