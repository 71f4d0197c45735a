import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeEntry, setEntry } from '../../../src/fleet/crdt/lww-map.js';
import { type Member, SimulatedFleet, writeSomething } from './simulated-fleet.js';

function set({ map, state }: Member, key: string, value: number): void {
  map.write(map.partOf(key), setEntry(key, value, state.clock.next()));
}

function get({ map }: Member, owner: Member, key: string): number | undefined {
  return map.read(owner.id, map.partOf(key)).get(key)?.value;
}

function at(fleet: SimulatedFleet, index: number): Member {
  const member = fleet.members[index];
  if (member === undefined) throw new Error(`there is no member ${index}`);
  return member;
}

describe('members of a fleet', () => {
  it('tell each other what they write: directly while they are few', async () => {
    const fleet = new SimulatedFleet(3);
    set(at(fleet, 0), 'x', 1);
    const took = await fleet.until(() => get(at(fleet, 2), at(fleet, 0), 'x') === 1, 1000, 'the third has heard');
    expect(took).toBeLessThanOrEqual(240);
    await fleet.until(() => fleet.isEqual(), 1000, 'all are equal');
  });

  it('tell each other by way of others where they are many, and what it costs each does not grow with the fleet', async () => {
    const perMember: number[] = [];
    for (const size of [10, 20, 40]) {
      const fleet = new SimulatedFleet(size);
      set(at(fleet, 0), 'x', 1);
      const took = await fleet.until(() => fleet.isEqual(), 4000, `all ${size} have heard`);
      expect(took).toBeLessThanOrEqual(2600);
      const { questions } = fleet;
      for (let second = 0; second < 10; second++) {
        for (const member of fleet.members) set(member, 'x', second);
        await fleet.run(1000);
      }
      perMember.push((fleet.questions - questions) / size / 10);
    }
    for (const questions of perMember) expect(questions).toBeLessThan(7);
  });

  it('say nothing while nothing happens, but for digests now and then', async () => {
    const fleet = new SimulatedFleet(20);
    for (const member of fleet.members) set(member, 'x', 1);
    await fleet.run(10_000);
    const { questions, bytes } = fleet;
    await fleet.run(60_000);
    expect(fleet.isEqual()).toBe(true);
    expect((fleet.questions - questions) / 20 / 60).toBeLessThan(0.2);
    expect((fleet.bytes - bytes) / 20 / 60).toBeLessThan(1000);
  });

  it.each([2, 5, 12])('come to the same, %i of them, whatever is lost and whoever comes and goes', async (size) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async (seed) => {
        const fleet = new SimulatedFleet(size, { seed, exchange: { digestInterval: 3000, tombstoneAge: 2000 } });
        const { random } = fleet;
        fleet.passes = () => random() > 0.3;
        for (let round = 0; round < 60; round++) {
          for (let i = 0; i < 3; i++) writeSomething(at(fleet, Math.floor(random() * fleet.members.length)), random);
          const what = random();
          if (what < 0.03) fleet.join();
          else if (what < 0.06 && fleet.members.length > 2) fleet.leave(at(fleet, 0));
          await fleet.run(100);
        }
        fleet.passes = () => true;
        await fleet.until(() => fleet.isEqual(), 30_000, `all are equal, seed ${seed}`);
        const repairs = fleet.members.reduce((sum, { state }) => sum + state.figures().repairs, 0);
        expect(repairs).toBe(0);
      }),
      { numRuns: 6 },
    );
  });

  it('bring back nothing that was removed while a member was away, however long', async () => {
    const fleet = new SimulatedFleet(3, { exchange: { tombstoneAge: 1000 } });
    const [a, away] = [at(fleet, 0), at(fleet, 2)];
    for (let i = 0; i < 50; i++) set(a, `k${i}`, i);
    await fleet.until(() => fleet.isEqual(), 2000, 'all are equal');
    fleet.passes = (from, to) => from !== away.id && to !== away.id;
    for (let i = 0; i < 40; i++) a.map.write(a.map.partOf(`k${i}`), removeEntry(`k${i}`, a.state.clock.next()));
    set(away, 'own', 7);
    await fleet.run(10_000);
    expect(a.state.figures().tombstones).toBe(0);
    fleet.passes = () => true;
    await fleet.until(() => fleet.isEqual(), 15_000, 'all are equal');
    expect(get(away, a, 'k1')).toBeUndefined();
    expect(get(away, a, 'k45')).toBe(45);
    expect(get(a, away, 'own')).toBe(7);
    for (const { state } of fleet.members) expect(state.figures()).toMatchObject({ entries: 11, repairs: 0 });
  });

  it('give one that joins everything, in pieces that are bounded', async () => {
    const messageBytes = 4096;
    const fleet = new SimulatedFleet(3, { exchange: { messageBytes, tombstoneAge: 500 } });
    for (const member of fleet.members) for (let i = 0; i < 1000; i++) set(member, `key-${i}`, i);
    await fleet.until(() => fleet.isEqual(), 10_000, 'all are equal');
    await fleet.run(3000);
    fleet.largest = 0;
    const joiner = fleet.join();
    await fleet.until(() => fleet.isEqual(), 2000, 'the joiner knows all');
    expect(joiner.state.figures().entries).toBe(3000);
    // One part at most goes beyond.
    expect(fleet.largest).toBeLessThan(messageBytes + 20_000);
  });

  it('drop what a member has said when it is gone', async () => {
    const fleet = new SimulatedFleet(3);
    const [a, , c] = fleet.members;
    if (a === undefined || c === undefined) throw new Error('there are three');
    set(c, 'x', 1);
    await fleet.until(() => get(a, c, 'x') === 1, 1000, 'it is heard');
    fleet.leave(c);
    expect(get(a, c, 'x')).toBeUndefined();
    await fleet.run(3000);
    expect(a.state.figures()).toMatchObject({ entries: 0, dropped: 1 });
    expect([...a.state.figures().lags.keys()]).toEqual(['member-2']);
  });

  it('know what a member writes under the id that it has registered anew with', async () => {
    const fleet = new SimulatedFleet(3);
    const [a, b] = [at(fleet, 0), at(fleet, 1)];
    set(a, 'x', 1);
    await fleet.until(() => fleet.isEqual(), 1000, 'all are equal');
    fleet.leave(a);
    a.state.rename('anew');
    fleet.members.push(Object.assign(a, { id: 'anew' }));
    fleet.tellMembers();
    a.state.start();
    await fleet.until(() => get(b, a, 'x') === 1, 1000, 'it is heard');
    expect([...b.map.owners]).toEqual(['anew']);
  });

  it('go on with a member that does not answer, and find it when it is back', async () => {
    const fleet = new SimulatedFleet(3);
    const [a, b, c] = [at(fleet, 0), at(fleet, 1), at(fleet, 2)];
    fleet.passes = (_from, to) => to !== b.id;
    for (let i = 0; i < 100; i++) {
      set(a, 'x', i);
      await fleet.run(200);
    }
    await fleet.run(400);
    expect(get(c, a, 'x')).toBe(99);
    // Ever less often.
    expect(a.state.figures().failures).toBeLessThan(10);
    fleet.passes = () => true;
    await fleet.until(() => fleet.isEqual(), 12_000, 'it has heard');
  });

  it('hear of a member by way of others when they cannot reach it', async () => {
    const fleet = new SimulatedFleet(3);
    const [a, b] = [at(fleet, 0), at(fleet, 1)];
    fleet.passes = (from, to) => new Set([from, to, a.id, b.id]).size > 2;
    set(a, 'x', 1);
    set(at(fleet, 2), 'y', 1);
    await fleet.run(400);
    set(at(fleet, 2), 'y', 2);
    await fleet.until(() => get(b, a, 'x') === 1, 16_000, 'the third has passed it on');
  });
});

describe('a netsplit', () => {
  it('of two halves that both write heals within seconds, at the cost of what was missed', async () => {
    const fleet = new SimulatedFleet(20);
    const half = new Set(fleet.members.slice(0, 10).map(({ id }) => id));
    for (const member of fleet.members) for (let i = 0; i < 100; i++) set(member, `key-${i}`, i);
    await fleet.until(() => fleet.isEqual(), 10_000, 'all are equal');
    fleet.passes = (from, to) => half.has(from) === half.has(to);
    for (let second = 0; second < 15; second++) {
      for (const member of fleet.members) set(member, `key-${second}`, 1000 + second);
      await fleet.run(1000);
    }
    const { bytes } = fleet;
    expect(fleet.isEqual()).toBe(false);
    fleet.passes = () => true;
    const took = await fleet.until(() => fleet.isEqual(), 20_000, 'all are equal');
    const perMember = (fleet.bytes - bytes) / 20;
    expect(took).toBeLessThan(12_000);
    expect(perMember).toBeLessThan(500_000);
  });
});
