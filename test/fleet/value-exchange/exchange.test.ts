/** Proxies in one process, with clocks and a network that the test decides about: they come to have the same values. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketDigests, rootDigest } from '../../../src/fleet/values/digests.js';
import type { KeyState } from '../../../src/fleet/values/key-state.js';
import { bulkOf } from '../../../src/fleet/values/read-state.js';
import { add, count, EPOCH, remove, SimulatedValues, set } from './simulated-values.js';

function expectSame(fleet: SimulatedValues): void {
  const [first, ...others] = fleet.seen();
  for (const other of others) expect(other).toBe(first);
  const roots = fleet.members.map(({ store }) => rootDigest(store, bucketDigests(store)));
  expect(new Set(roots).size).toBe(1);
}

describe('values of several proxies', () => {
  it('become the same whatever was written where, while the network is cut now and then', async () => {
    const step = fc.record({
      at: fc.nat({ max: 2 }),
      what: fc.constantFrom('set', 'count', 'add', 'remove', 'expire', 'flush', 'cut', 'heal', 'wait'),
      key: fc.constantFrom('a', 'b', 'c'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const fleet = new SimulatedValues(3);
        let written = 0;
        for (const { at, what, key } of steps) {
          const member = fleet.at(at);
          if (what === 'set') set(member, key, `${++written}`);
          else if (what === 'count') count(member, key, 1 + at);
          else if (what === 'add') add(member, key, `e${at}`);
          else if (what === 'remove') remove(member, key);
          else if (what === 'expire') set(member, key, 'short', member.store.clock.wall() + 300);
          else if (what === 'flush') member.store.flush(0);
          else if (what === 'cut') fleet.passes = (from, to) => from !== member.id && to !== member.id;
          else if (what === 'heal') fleet.passes = () => true;
          else await fleet.run(200);
        }
        fleet.passes = () => true;
        await fleet.run(32_000);
        expectSame(fleet);
      }),
      { numRuns: 12 },
    );
  });

  it('count every increment once, on both sides of a cut and over restarts', async () => {
    const fleet = new SimulatedValues(3);
    let counted = 0;
    for (let round = 0; round < 6; round++) {
      const cut = fleet.at(round);
      fleet.passes = round % 2 === 0 ? () => true : (from, to) => from !== cut.id && to !== cut.id;
      for (const member of fleet.members) {
        for (let i = 0; i < 50; i++) count(member, 'n', i % 5 === 0 ? -1 : 2);
        counted += 50 * 2 - 10 * 3;
      }
      await fleet.run(400);
      fleet.passes = () => true;
      await fleet.run(16_000);
      // One ends, and another one takes its place.
      const [gone] = fleet.members.splice(0, 1);
      await gone?.exchange.close(1000);
      fleet.join();
      await fleet.run(1000);
      for (const { store } of fleet.members) {
        const entry = store.find(0, 'n');
        expect(entry && bulkOf(entry.state).toString()).toBe(`$${String(counted).length}\r\n${counted}\r\n`);
      }
    }
  });

  it('are all there for who joins, in pieces, and what was deleted does not come back with who was away', async () => {
    const fleet = new SimulatedValues(2);
    const value = 'x'.repeat(1000);
    for (let i = 0; i < 3000; i++) set(fleet.at(0), `k${i}`, value);
    await fleet.run(1000);
    const joiner = fleet.join();
    const joined = joiner.exchange.joined(60_000);
    await fleet.run(2000);
    await joined;
    expect(joiner.store.size).toBe(3000);
    expect(fleet.largest).toBeLessThan(2_000_000);
    // Away for longer than anything is remembered without need.
    fleet.passes = (from, to) => from !== joiner.id && to !== joiner.id;
    for (let i = 0; i < 1000; i++) remove(fleet.at(0), `k${i}`);
    set(joiner, 'own', '1');
    await fleet.run(60_000);
    expect(fleet.at(0).store.tombstones).toBe(1000);
    fleet.passes = () => true;
    await fleet.run(30_000);
    expectSame(fleet);
    expect(fleet.at(0).store.size).toBe(2001);
    // And then it need not be remembered any more.
    await fleet.run(60_000);
    for (const { store } of fleet.members) expect(store.tombstones).toBe(0);
  });

  it('cost a few hundred bytes a second while nothing is written, and a changed counter once a batch', async () => {
    const fleet = new SimulatedValues(3);
    for (let i = 0; i < 2000; i++) set(fleet.at(i), `k${i}`, `${i}`);
    await fleet.run(20_000);
    fleet.bytes = 0;
    fleet.questions = 0;
    await fleet.run(60_000);
    expect(fleet.bytes / 60).toBeLessThan(100);
    expect(fleet.questions / 60).toBeLessThan(1);
    fleet.bytes = 0;
    for (let i = 0; i < 100; i++) {
      for (let n = 0; n < 1000; n++) count(fleet.at(0), 'n');
      await fleet.run(100);
    }
    // A hundred thousand increments in ten seconds, to two others.
    expect(fleet.bytes).toBeLessThan(100 * 2 * 150);
    expectSame(fleet);
  });

  it('are not taken from a clock that is an hour ahead until its time has come, and ends of keys agree nevertheless', async () => {
    const fleet = new SimulatedValues(3);
    const wrong = fleet.at(0);
    set(fleet.at(1), 'a', 'right');
    await fleet.run(500);
    wrong.clock.skew = 3_600_000;
    set(wrong, 'a', 'from the future');
    set(wrong, 'b', 'from the future');
    await fleet.run(20_000);
    expect(fleet.at(1).store.find(0, 'b')).toBeNull();
    expect(fleet.at(1).store.refused).toBeGreaterThan(0);
    set(fleet.at(2), 'a', 'later here');
    wrong.clock.skew = 0;
    await fleet.run(500);
    expect(bulkOf((fleet.at(1).store.find(0, 'a') as { state: KeyState }).state).toString()).toContain('later here');
    // A clock that lags does not keep a key alive for the others.
    wrong.clock.skew = -5000;
    set(fleet.at(1), 'c', 'short', EPOCH + fleet.timers.now() + 2000);
    await fleet.run(3000);
    expect(fleet.at(1).store.find(0, 'c')).toBeNull();
    count(fleet.at(1), 'c');
    await fleet.run(1000);
    for (const { store } of fleet.members) {
      expect(bulkOf((store.find(0, 'c') as { state: KeyState }).state).toString()).toBe('$1\r\n1\r\n');
    }
  });

  it('refuse whatever is no message', () => {
    const { exchange } = new SimulatedValues(1).at(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        exchange.answer('member-9', Buffer.from(bytes));
        exchange.answer('member-9', Buffer.from([1, 0, 0, bytes.length + 1, 1, ...bytes]));
      }),
      { numRuns: 2000 },
    );
    for (const body of [null, undefined, {}, 'text', Buffer.alloc(0)]) expect(exchange.answer('x', body)).toBeNull();
  });
});
