/** Stamps that are made anew where a clock was ahead and has gone back (`restamping.ts`). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareStamps, type Stamp } from '../../../src/fleet/crdt/hybrid-clock.js';
import { KeyState } from '../../../src/fleet/values/key-state.js';
import { Link, type SentBatch } from '../../../src/fleet/values/link.js';
import { bulkOf, numberOf } from '../../../src/fleet/values/read-state.js';
import { type Restamping, restamped, restampedState, restampingOf } from '../../../src/fleet/values/restamping.js';
import { ValueStore } from '../../../src/fleet/values/store.js';
import { adding, counting, deletion, setting } from '../../../src/proxy/features/replicated/deltas.js';
import { clockWatch } from '../../../src/serve/clock-watch.js';
import { SimulatedValues, set } from '../value-exchange/simulated-values.js';
import { change, textOf, valueSubject } from './subject.js';

const NEVER = Number.POSITIVE_INFINITY;
const DAY = 86_400_000;

const how: fc.Arbitrary<Restamping> = fc.record({ bound: fc.nat({ max: 60 }), step: fc.integer({ min: 1, max: 30 }) });
const stamp: fc.Arbitrary<Stamp> = fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 3 }), fc.constantFrom('a', 'b'));

describe('stamps that are made anew', () => {
  it('have the order that they had, and lie close behind the bound', () => {
    fc.assert(
      fc.property(stamp, stamp, how, (a, b, by) => {
        const order = Math.sign(compareStamps(restamped(a, by), restamped(b, by)));
        expect(order).toBe(Math.sign(compareStamps(a, b)));
        if (a[0] <= by.bound) expect(restamped(a, by)).toBe(a);
        else expect(restamped(a, by)[0]).toBeLessThanOrEqual(by.bound + 1 + (a[0] - by.bound) / by.step);
      }),
    );
  });

  it('of two states, and of what both are together, say the same', () => {
    const step = fc.record({ what: change, at: stamp, actor: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(fc.array(step), fc.array(step), how, (one, other, by) => {
        const made = (steps: typeof one): KeyState => {
          let state = new KeyState();
          for (const { what, at, actor } of steps) {
            // Ends have moments of their own.
            if (what.kind === 'end') continue;
            state = valueSubject.lattice.join(state, valueSubject.delta(state, actor, what, at));
          }
          return state;
        };
        const anew = (state: KeyState): KeyState => restampedState(state, by);
        const [a, b] = [made(one), made(other)];
        const joined = anew(valueSubject.lattice.join(a, b));
        expect(textOf(valueSubject.lattice.join(anew(a), anew(b)))).toBe(textOf(joined));
      }),
    );
  });
});

/** A primary and a worker, with a channel between them that keeps the order, and carries when the test says so. */
class Machine {
  wall = 1_700_000_000_000;
  readonly primary = this.#store('primary');
  readonly worker = this.#store('worker');
  readonly #ways: (() => void)[][] = [[], []];

  constructor() {
    const link = (store: ValueStore, way: number, other: () => Link): Link => {
      const put = (run: () => void): void => {
        this.#ways[way]?.push(run);
      };
      return new Link({
        store,
        send: (batch: SentBatch) => put(() => other().onBatch(batch)),
        taken: (number) => put(() => other().onTaken(number)),
        restamp: (by) => put(() => other().onRestamp(by)),
        later: (run) => {
          run();
          return () => {};
        },
      });
    };
    const there: Link = link(this.primary, 0, () => back);
    const back: Link = link(this.worker, 1, () => there);
  }

  /** Carries what is on its way, from one to the other in turn. */
  carry(): void {
    while (this.#ways.some((way) => way.length > 0)) for (const way of this.#ways) way.shift()?.();
  }

  #store(actor: string): ValueStore {
    return new ValueStore({ databases: 1, limit: 2 ** 26, actor, wallNow: () => this.wall });
  }
}

function incr(store: ValueStore, key: string): void {
  const known = store.findToWrite(0, key)?.state ?? null;
  store.write(0, key, counting(store.clock, store.actor, known, 1n));
}

const text = (store: ValueStore, key: string): string | undefined => {
  const entry = store.find(0, key);
  return entry === null ? undefined : bulkOf(entry.state).toString().split('\r\n')[1];
};

describe('a machine whose clock was ahead for a day', () => {
  it('has what was written, in all of its processes, whatever is on its way between them, and is followed', () => {
    const machine = new Machine();
    const { primary, worker } = machine;
    worker.write(0, 'deleted', setting(worker.clock, Buffer.from('x'), NEVER));
    machine.wall += DAY;
    worker.write(0, 'k', setting(worker.clock, Buffer.from('1'), NEVER));
    for (let i = 0; i < 3; i++) incr(worker, 'n');
    worker.write(0, 's', adding(worker.clock, 'worker', null, ['a']));
    worker.write(0, 'ended', setting(worker.clock, Buffer.from('x'), machine.wall + 10));
    machine.carry();
    machine.wall += 20;
    expect(text(worker, 'ended')).toBeUndefined();
    primary.write(0, 'deleted', deletion(primary.clock));
    machine.wall -= DAY + 20;
    // On its way while the primary makes its stamps anew.
    worker.write(0, 'k', setting(worker.clock, Buffer.from('2'), NEVER));
    incr(worker, 'n');
    primary.write(0, 'p', setting(primary.clock, Buffer.from('p'), NEVER));
    incr(primary, 'n');
    primary.restamp(restampingOf(primary.clock));
    for (const store of [primary, worker]) store.tick();
    primary.write(0, 'behind', setting(primary.clock, Buffer.from('b'), NEVER));
    incr(worker, 'n');
    machine.carry();
    incr(worker, 'n');
    machine.carry();
    for (const store of [primary, worker]) {
      expect(['k', 'n', 'p', 'behind', 'ended', 'deleted'].map((key) => text(store, key))).toEqual([
        ...['2', '7', 'p', 'b', undefined, undefined],
      ]);
      expect(numberOf(store.find(0, 'n')?.state ?? new KeyState())).toBe(7n);
      expect([...(store.find(0, 's')?.state.present() ?? [])]).toEqual(['a']);
      for (const key of ['k', 'n', 'p', 'behind', 'ended', 'deleted', 's']) {
        const [entry] = [...store.entriesOf(0)].filter((one) => one.key === key);
        expect(entry?.state.newest()?.[0]).toBeLessThan(machine.wall + 64_000);
      }
      expect(store.clock.next()[0]).toBeLessThan(machine.wall + 64_000);
    }
  });

  it('comes to have the same as the other proxies within half a minute, and loses nothing of its own to them', async () => {
    const fleet = new SimulatedValues(2);
    const ahead = fleet.at(0);
    const right = fleet.at(1);
    const { store, exchange } = ahead;
    const look = clockWatch({ values: store, log: { warn() {} }, compareNow: () => exchange.compareNow() });
    const run = async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        await fleet.run(1000);
        look();
      }
    };
    await run(1);
    ahead.clock.skew = DAY;
    set(ahead, 'own', 'first');
    set(ahead, 'own', 'second');
    await run(2);
    set(right, 'others', 'x');
    ahead.clock.skew = 0;
    await run(30);
    set(ahead, 'since', 'x');
    set(right, 'own', 'third');
    await run(2);
    for (const member of [ahead, right]) {
      expect(['own', 'others', 'since'].map((key) => text(member.store, key))).toEqual(['third', 'x', 'x']);
    }
  });
});
