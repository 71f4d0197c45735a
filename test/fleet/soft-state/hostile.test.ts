import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setEntry } from '../../../src/fleet/crdt/lww-map.js';
import { addTo, observedSet } from '../../../src/fleet/crdt/observed-set.js';
import { type Member, SimulatedFleet } from './simulated-fleet.js';

function pair(): { fleet: SimulatedFleet; a: Member; b: Member } {
  const fleet = new SimulatedFleet(2, { exchange: { digestInterval: 2000 } });
  const [a, b] = fleet.members;
  if (a === undefined || b === undefined) throw new Error('there are two');
  return { fleet, a, b };
}

function set({ map, state }: Member, key: string, value: number): void {
  map.write(map.partOf(key), setEntry(key, value, state.clock.next()));
}

function say(to: Member, message: object): unknown {
  const answer = to.state.answer(Buffer.from(JSON.stringify(message)));
  return answer === null ? null : JSON.parse(answer.toString());
}

function gift(of: string, rows: readonly unknown[], rest: object = {}): object {
  return { v: 1, from: 'member-2', known: {}, gifts: [{ of, from: 0, to: 9, deltas: rows, ...rest }] };
}

describe('what comes from a peer', () => {
  it('is refused and counted when it is no message, and never throws', () => {
    const { a } = pair();
    const values = [
      undefined,
      null,
      7,
      'x',
      {},
      Buffer.alloc(0),
      Buffer.from('{'),
      Buffer.from('[]'),
      Buffer.from('{"v":2}'),
    ];
    for (const value of values) expect(a.state.answer(value)).toBeNull();
    expect(a.state.figures().refused).toBe(values.length);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (gifts, digests, mends) => {
        say(a, { v: 1, from: 'member-2', known: {}, gifts, digests, mends });
        say(a, gift('member-2', [[1, 'map', 0, gifts]]));
        say(a, { v: 1, from: 'member-2', known: {}, mends: [['member-2', 0, 'map', 0, mends]] });
      }),
    );
    expect(a.state.figures().entries).toBe(0);
  });

  it('is refused when it is no state, and what else the message has is taken', () => {
    const { a } = pair();
    const stamp = [1_700_000_000_000, 0, 'member-2'];
    const rows = [
      [1, 'map', 0, [['x', stamp, 'no number']]],
      [2, 'map', 99, []],
      [3, 'set', 0, [{ x: [['member-2', 5]] }, {}]],
      [4, 'of a newer version', 0, { any: 'thing' }],
      [5, 'map', 1, [['y', stamp, 5]]],
    ];
    say(a, gift('member-2', rows));
    expect(a.map.read('member-2', 1).get('y')?.value).toBe(5);
    expect(a.map.read('member-2', 0).size).toBe(0);
    expect(a.state.figures().refused).toBe(3);
  });

  it('is bounded: a part takes no more than it may have', () => {
    const { a, b } = pair();
    const many = Array.from({ length: 1001 }, (_, i) => [`k${i}`, [1_700_000_000_000, i, 'member-2'], i]);
    say(a, gift('member-2', [[1, 'map', 0, many]]));
    expect(a.state.figures()).toMatchObject({ entries: 0, refused: 1 });
    for (let i = 0; i < 10_000; i++) set(b, `k${i}`, i);
    expect(b.state.figures().entries).toBe(4000);
  });

  it('says nothing of this member itself, nor of those that are not in the fleet', () => {
    const { a } = pair();
    const row = [1, 'map', 0, [['x', [1, 0, 'z'], 1]]];
    say(a, gift('member-1', [row]));
    say(a, gift('nobody', [row]));
    expect(a.state.figures()).toMatchObject({ entries: 0, strangers: 1 });
  });

  it('does not keep a member from being heard, when it claims changes that the member never made', async () => {
    const { fleet, a, b } = pair();
    say(a, gift('member-2', [], { to: Number.MAX_SAFE_INTEGER }));
    set(b, 'x', 1);
    await fleet.until(() => fleet.isEqual(), 5000, 'the member itself has said how it is');
  });

  it('does not take the clock along when it is far ahead, and counts that', async () => {
    const { fleet, a, b } = pair();
    b.skew = 3_600_000;
    set(b, 'x', 1);
    await fleet.until(() => fleet.isEqual(), 1000, 'its own branch is its own matter');
    expect(a.state.clock.next()[0]).toBeLessThan(1_700_000_060_000);
    expect(a.state.figures().drifted).toBe(1);
  });
});

describe('digests', () => {
  it('mend what differs although it should not, as its owner has it, and count that', async () => {
    const { fleet, a, b } = pair();
    for (let i = 0; i < 100; i++) set(a, `k${i}`, i);
    await fleet.until(() => fleet.isEqual(), 1000, 'they are equal');
    b.map.replace(a.id, 0, []);
    b.map.replace(a.id, 1, [['more', [1_800_000_000_000, 0, 'x'], 5]]);
    expect(fleet.isEqual()).toBe(false);
    await fleet.until(() => fleet.isEqual(), 8000, 'they are equal again');
    expect(b.state.figures()).toMatchObject({ repairs: 2, conflicts: 0 });
    expect(a.state.figures()).toMatchObject({ repairs: 0, conflicts: 0 });
  });

  it('bring what a member of an older version has not passed on, since it does not know that document', async () => {
    const fleet = new SimulatedFleet(3, { exchange: { digestInterval: 2000 } });
    const [a, old, c] = fleet.members;
    if (a === undefined || old === undefined || c === undefined) throw new Error('there are three');
    // The two others hear of each other by the old one only.
    fleet.passes = (from, to) => from === old.id || to === old.id;
    old.set.join = () => 'refused';
    a.set.write(0, addTo(observedSet.bottom, 'x', a.id));
    await fleet.until(() => fleet.changeOf(c, a) === 1, 10_000, 'what the old one has passed on counts as heard');
    expect(c.set.read(a.id, 0).dots.size).toBe(0);
    fleet.passes = () => true;
    await fleet.until(() => c.set.read(a.id, 0).dots.has('x'), 20_000, 'it has come by another way');
  });
});
