import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ClientPlacement, type ClientTaker } from '../../../../src/plane/workers/primary/client-placement.js';
import { RecentCount } from '../../../../src/plane/workers/primary/recent-count.js';
import { Random } from '../../../fuzz/random.js';
import { ManualTimers } from '../../../support/manual-timers.js';

class Taker implements ClientTaker {
  clients = 0;
  recentCommands = 0;
  started = true;
  stalled = false;
  /** Numbers of clients, which are given from 1 on. */
  readonly given: number[] = [];

  give({ id }: { readonly id: number }): void {
    this.clients++;
    this.given.push(id);
  }
}

function place(placement: ClientPlacement, clients: number): void {
  for (let i = 0; i < clients; i++) placement.place(new Socket());
}

function stage(workers: number): { takers: Taker[]; placement: ClientPlacement } {
  const takers = Array.from({ length: workers }, () => new Taker());
  const random = new Random(20_260_101);
  return {
    takers,
    placement: new ClientPlacement(
      takers,
      () => 10_000,
      { isFull: () => false, enter: () => {} },
      () => random.below(1000) / 1000,
    ),
  };
}

describe('clients', () => {
  it.each([2, 3, 4])('that come in a pattern as long as there are workers are mixed: %i', (workers) => {
    const { takers, placement } = stage(workers);
    const each = 200;
    place(placement, each * workers);
    for (const { given } of takers) {
      expect(given).toHaveLength(each);
      // Those that work come first in each turn.
      const working = given.filter((client) => client % workers === 1).length;
      expect(working).toBeGreaterThan((each / workers) * 0.6);
      expect(working).toBeLessThan((each / workers) * 1.4);
    }
  });

  it('go to the worker that carries less, until it has a quarter more clients', () => {
    const { takers, placement } = stage(2);
    const [busy, idle] = takers as [Taker, Taker];
    place(placement, 40);
    busy.recentCommands = 10_000;
    idle.recentCommands = 5000;
    place(placement, 6);
    expect([busy.clients, idle.clients]).toEqual([20, 26]);
    place(placement, 2);
    expect([busy.clients, idle.clients]).toEqual([21, 27]);
  });

  it('are shared out by their number where workers carry about as much', () => {
    const { takers, placement } = stage(2);
    const [one, other] = takers as [Taker, Taker];
    one.clients = 20;
    other.clients = 16;
    one.recentCommands = 1000;
    other.recentCommands = 1100;
    place(placement, 4);
    expect([one.clients, other.clients]).toEqual([20, 20]);
  });

  it('go to one that is starting or does not take them only where there is no other', () => {
    const { takers, placement } = stage(3);
    const [starting, stalled, serving] = takers as [Taker, Taker, Taker];
    starting.started = false;
    stalled.stalled = true;
    serving.recentCommands = 1_000_000;
    place(placement, 3);
    expect(serving.clients).toBe(3);
    serving.stalled = true;
    place(placement, 2);
    expect([starting.clients, stalled.clients, serving.clients]).toEqual([1, 1, 3]);
  });
});

it('what was counted fades', () => {
  const timers = new ManualTimers();
  const count = new RecentCount(timers);
  count.add(1000);
  expect(count.value).toBe(1000);
  timers.advance(2000);
  expect(count.value).toBeCloseTo(368, 0);
  count.add(1000);
  timers.advance(20_000);
  expect(count.value).toBeLessThan(1);
});
