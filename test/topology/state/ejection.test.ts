import { describe, expect, it } from 'vitest';
import {
  type EjectedNode,
  ejectedNode,
  ejectedNow,
  FORGIVEN_AFTER_MS,
  forgetEjected,
  timesLeft,
  timeToReturn,
} from '../../../src/topology/state/ejection.js';
import {
  EJECTION_FORMAT,
  type Member,
  nextMembers,
  type RingState,
  type RunningChange,
  recordFormat,
} from '../../../src/topology/state/ring-state.js';
import { finish, move, prepare, turn, turnRound } from '../../../src/topology/state/transitions.js';
import { ringState } from '../../../src/topology/store/ring-schema.js';
import { OPTIONS } from '../manager-stage.js';

const AT = '2026-01-01T00:00:00.000Z';
const LATER = '2026-01-01T00:10:01.000Z';
const [A, B, C] = ['a', 'b', 'c'].map(
  (name, id): Member => ({ name, address: `${name}:1`, weight: 1, id, access: {} }),
);
const ALL = [A, B, C] as [Member, Member, Member];
const RING: RingState = { generation: 1, members: ALL, options: OPTIONS, change: null };

const change = (kind: RunningChange['kind'], members: readonly Member[], more: Partial<RunningChange> = {}) => ({
  ...{ id: kind, kind, members, startedAt: AT, summary: kind, undrained: [], processes: [] },
  ...more,
});

/** The ring once a change is done. */
const done = (state: RingState, how: Omit<RunningChange, 'phase'>): RingState => finish(move(prepare(state, how), []));

function eject(state: RingState, node: Member, at = AT): RingState {
  const ejecting: EjectedNode[] = [ejectedNode(state, node, { at, why: 'down', proxies: ['p1'] })];
  const members = state.members.filter(({ name }) => name !== node.name);
  return done(state, change('eject', members, { ejecting, undrained: [node.name], startedAt: at }));
}

describe('nodes that are ejected', () => {
  it('are remembered when the change is done, and are none when it was given up', () => {
    const out = eject(RING, ALL[1]);
    expect(ejectedNow(out)).toMatchObject([{ name: 'b', since: AT, why: 'down', times: 1, proxies: ['p1'] }]);
    expect(ejectedNow(prepare(RING, change('eject', [ALL[0], ALL[2]])))).toEqual([]);
  });

  it('are recorded in a format that says so, and read as they were written; without any the format is that of before', () => {
    const out = eject(RING, ALL[1]);
    expect(recordFormat(RING)).toBe(1);
    expect(recordFormat(out)).toBe(EJECTION_FORMAT);
    expect(ringState.parse(JSON.parse(JSON.stringify(out)))).toEqual(JSON.parse(JSON.stringify(out)));
    expect(recordFormat(forgetEjected(out, ['b']))).toBe(1);
  });

  it('are members again when they have returned, and what they did is remembered for a while', () => {
    const back = done(eject(RING, ALL[1]), change('return', ALL));
    expect(ejectedNow(back)).toEqual([]);
    expect(back.returned).toMatchObject([{ name: 'b', times: 1, at: AT }]);
    expect(eject(back, ALL[1]).ejected).toMatchObject([{ times: 2 }]);
    expect(eject(back, ALL[1], LATER).ejected).toMatchObject([{ times: 1 }]);
    expect(done(back, change('reweight', ALL, { startedAt: LATER })).returned).toBeUndefined();
  });

  it('stay out when their return is turned round', () => {
    const moving = move(prepare(eject(RING, ALL[1]), change('return', ALL)), []);
    expect(ejectedNow(moving)).toEqual([]);
    const turned = finish(turnRound(turn(moving), { id: 'x', startedAt: AT }, {}));
    expect(ejectedNow(turned).map(({ name }) => name)).toEqual(['b']);
  });

  it('are forgotten when a person adds them, or another server with their name or their address', () => {
    const out = eject(RING, ALL[1]);
    for (const node of [ALL[1], { ...ALL[1], address: 'x:1' }, { ...ALL[1], name: 'x' }]) {
      const added = done(out, change('add', [...out.members, node]));
      expect([added.ejected, added.returned]).toEqual([undefined, undefined]);
    }
  });

  it('cannot be changed as members', () => {
    const out = eject(RING, ALL[1]);
    for (const wanted of [{ remove: ['b'] }, { weights: [{ name: 'b', weight: 2 }] }])
      expect(() => nextMembers(out, wanted)).toThrow(/b \(b:1\) is no member of the ring: it is ejected/);
  });
});

it('the time to wait doubles, and is bounded; each time of having failed is forgotten after a while', () => {
  expect([1, 2, 3, 9].map((times) => timeToReturn({ times }, 10, 60))).toEqual([10, 20, 40, 60]);
  const node = { name: 'b', address: 'b:1', times: 2, at: AT };
  const at = new Date(AT).getTime();
  expect([0, FORGIVEN_AFTER_MS, 5 * FORGIVEN_AFTER_MS].map((ms) => timesLeft(node, at + ms))).toEqual([2, 1, 0]);
});
