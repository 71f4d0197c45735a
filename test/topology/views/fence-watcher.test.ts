/** Which events follow from the records of fences. */
import { describe, expect, it } from 'vitest';
import type { FleetMember } from '../../../src/topology/state/fleet.js';
import type { StoredRing } from '../../../src/topology/store/ring-store.js';
import { FenceWatcher } from '../../../src/topology/views/fence-watcher.js';
import { ManualTimers } from '../../support/manual-timers.js';
import { listen, member, ring } from './seen-fleet.js';

/** Each record comes 40 ms after the one before. @returns what is told, as its channel and summary */
async function told(records: readonly StoredRing[], members: readonly FleetMember[] = []): Promise<string[]> {
  const heard = listen('fence:raised', 'fence:passed', 'fence:given-up');
  const timers = new ManualTimers();
  const watcher = new FenceWatcher({ coordinator: () => 'b', members: async () => members, timers });
  for (const record of records) {
    watcher.observe(record);
    timers.advance(40);
    await Promise.resolve();
  }
  await new Promise((resolve) => setImmediate(resolve));
  return heard.map(({ channel, event }) => `${channel}: ${event.summary}`);
}

describe('events of fences', () => {
  it('tell how long one stood that was passed; what is noted with it is not news', async () => {
    const records = [
      ring(1),
      ring(2, 1, {}),
      ring(3, 1, { undrained: ['x'] }),
      ring(4, 1, { phase: 'moving' }),
      ring(5, 2),
    ];
    expect(await told(records)).toEqual([
      "fence:raised: the fence of 'add b' is raised by proxy b",
      "fence:passed: the fence of 'add b' was passed after 80 ms by proxy b",
    ]);
  });

  it('tell whom one waited for that was given up', async () => {
    const answers = [
      member('a', { answer: { acknowledged: true, why: '', revision: 2 } }),
      member('b', { answer: { acknowledged: false, why: 'worker 4711 has not answered', revision: 2 } }),
      member('c', { answer: { acknowledged: true, why: '', revision: 1 } }),
      member('d', { alive: false, fencedOff: true }),
    ];
    expect(await told([ring(1), ring(2, 1, {}), ring(3)], answers)).toEqual([
      "fence:raised: the fence of 'add b' is raised by proxy b",
      "fence:given-up: the fence of 'add b' was given up after 40 ms by proxy b: worker 4711 has not answered; the proxy c has not answered; nothing has moved",
    ]);
  });

  it('tell of a cancel that turns round, and of one that does not', async () => {
    const moving = ring(1, 1, { phase: 'moving' });
    const turning = ring(2, 1, { phase: 'turning' });
    expect(await told([moving, turning, ring(3, 2, { id: 'c2', kind: 'cancel', phase: 'moving' })])).toEqual([
      "fence:raised: the fence to turn 'add b' round is raised by proxy b",
      "fence:passed: the fence to turn 'add b' round was passed after 40 ms by proxy b",
    ]);
    expect((await told([moving, turning, ring(3, 1, { phase: 'moving' })]))[1]).toBe(
      "fence:given-up: the fence to turn 'add b' round was given up after 40 ms by proxy b; the change goes on as before",
    );
  });

  it('take a change for passed of which only the end was seen', async () => {
    expect((await told([ring(2, 1, {}), ring(9, 2)]))[1]).toMatch(/^fence:passed/);
  });
});
