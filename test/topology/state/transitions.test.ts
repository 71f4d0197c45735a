import { describe, expect, it } from 'vitest';
import { firstState, nextMembers, type RingState, type RunningChange } from '../../../src/topology/state/ring-state.js';
import {
  afterEverybodyIsGone,
  finish,
  giveUp,
  goOn,
  move,
  note,
  type Phase,
  phaseAfter,
  phaseOf,
  prepare,
  type Step,
  turn,
  turnRound,
} from '../../../src/topology/state/transitions.js';

const options = { hash: 'murmur3', distribution: 'ketama', hashTag: '', vnodes: 160, weighting: 'own' } as const;
const stable = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 1 }], options);
const wider = nextMembers(stable, { add: [{ name: 'b', address: '127.0.0.1:2', weight: 1 }] });
const change: Omit<RunningChange, 'phase'> = {
  id: 'c',
  kind: 'add',
  members: wider,
  startedAt: '2026-01-01T00:00:00.000Z',
  summary: 'add b',
  undrained: [],
  processes: [],
  throttle: 5,
};
const process = { name: 'a', address: '127.0.0.1:1', runId: 'r' };
const back = { id: 'd', startedAt: '2026-01-02T00:00:00.000Z' };

const preparing = prepare(stable, change);
const moving = move(preparing, [process]);
const turning = turn(moving);
const STATES: Readonly<Record<Phase, RingState>> = { stable, preparing, moving, turning };
const STEPS: Readonly<Record<Step, (state: RingState) => RingState>> = {
  prepare: (state) => prepare(state, change),
  'give up': giveUp,
  move: (state) => move(state, []),
  turn,
  'go on': goOn,
  'turn round': (state) => turnRound(state, back, {}),
  finish,
};

describe('a step', () => {
  it.each(Object.keys(STATES) as Phase[])(
    'from %s is one of those that may follow, and leads where they do',
    (phase) => {
      for (const step of Object.keys(STEPS) as Step[]) {
        const next = phaseAfter(phase, step);
        if (next === null) expect(() => STEPS[step](STATES[phase])).toThrow(`'${step}' does not follow '${phase}'`);
        else expect(phaseOf(STEPS[step](STATES[phase]))).toBe(next);
      }
    },
  );

  it('leads over a change to the next generation, or back to the one there was', () => {
    expect(finish(moving)).toEqual({ ...stable, generation: 2, members: wider });
    expect(giveUp(preparing)).toEqual(stable);
    expect(goOn(turning)).toEqual(moving);
  });

  it('that turns a change round keeps what is known of it', () => {
    const turned = turnRound(turning, back, { throttle: 7, keysDropped: 3 });
    expect(turned).toMatchObject({ generation: 2, members: wider });
    expect(turned.change).toEqual({
      ...{ ...change, ...back, kind: 'cancel', phase: 'moving', members: stable.members },
      ...{ summary: 'cancelled: add b', processes: [process], throttle: 7, keysDropped: 3 },
    });
    expect(finish(turned)).toEqual({ ...stable, generation: 3 });
  });
});

it('what is noted is noted with its own change alone', () => {
  expect(note(moving, 'c', { throttle: 9 }).change).toMatchObject({ phase: 'moving', throttle: 9 });
  expect(note(moving, 'another', { throttle: 9 })).toBe(moving);
  expect(note(stable, 'c', { throttle: 9 })).toBe(stable);
});

it('a restart of everybody takes a fence back, and nothing else', () => {
  expect(afterEverybodyIsGone(stable)).toBe(stable);
  expect(afterEverybodyIsGone(preparing)).toEqual(stable);
  expect(afterEverybodyIsGone(moving)).toBe(moving);
  expect(afterEverybodyIsGone(turning)).toEqual(moving);
  expect(afterEverybodyIsGone(note(moving, 'c', { still: true, paused: true }))).toEqual(
    note(moving, 'c', { paused: true }),
  );
});
