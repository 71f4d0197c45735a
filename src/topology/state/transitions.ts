/**
 * The phases of a ring, and what may follow what: the coordinator records nothing else, and the model of the protocol
 * (test/topology/model) explores nothing else. Pure: identities and times are given.
 *
 *   stable(g) ─prepare─▶ preparing ─move─▶ moving ─finish─▶ stable(g+1)
 *       ▲──────give up──────┘                │ ▲
 *                                         turn go on
 *                                            ▼ │
 *                                          turning ─turn round─▶ moving(g+1→g)
 */
import { type EjectedNode, ejectedAfter } from './ejection.js';
import { processesAfter } from './processes.js';
import type { ChangePhase, NodeProcess, RingState, RunningChange } from './ring-state.js';

export type Phase = 'stable' | ChangePhase;

const STEPS = {
  prepare: { from: 'stable', to: 'preparing' },
  'give up': { from: 'preparing', to: 'stable' },
  move: { from: 'preparing', to: 'moving' },
  turn: { from: 'moving', to: 'turning' },
  'go on': { from: 'turning', to: 'moving' },
  'turn round': { from: 'turning', to: 'moving' },
  finish: { from: 'moving', to: 'stable' },
} as const satisfies Record<string, { from: Phase; to: Phase }>;

export type Step = keyof typeof STEPS;

/** @returns the phase that the step leads to, or null where it may not follow */
export function phaseAfter(phase: Phase, step: Step): Phase | null {
  const { from, to } = STEPS[step];
  return phase === from ? to : null;
}

export function phaseOf(state: RingState): Phase {
  return state.change?.phase ?? 'stable';
}

/** What becomes known while a change is under way. */
export type Noted = Partial<
  Pick<RunningChange, 'undrained' | 'processes' | 'throttle' | 'keysDropped' | 'paused' | 'resumes' | 'still'>
>;

/** What tells one change from another. */
export interface ChangeIdentity {
  readonly id: string;
  /** ISO date. */
  readonly startedAt: string;
  /** The proxy at which it was asked for. */
  readonly by?: string | undefined;
  /** Who has asked for it. */
  readonly who?: string | undefined;
}

/** Moved keys are to be held. @throws Error when a change is under way */
export function prepare(state: RingState, change: Omit<RunningChange, 'phase'>): RingState {
  require(state, 'prepare');
  return { ...state, change: { ...change, phase: 'preparing' } };
}

/** Nothing has moved: the ring as it was. @throws Error when something may have */
export function giveUp(state: RingState): RingState {
  require(state, 'give up');
  return { ...state, change: null };
}

/** Everybody has acknowledged. @param processes those of the nodes @throws Error when no fence is raised for that */
export function move(state: RingState, processes: readonly NodeProcess[]): RingState {
  return { ...state, change: { ...require(state, 'move'), phase: 'moving', processes } };
}

/**
 * The change may be turned round, or nodes may be given up in it: moved keys are to be held.
 * @param givingUp names of nodes that nobody asks, or hears, any more
 * @param ejecting those of them that are ejected when it is turned round
 * @throws Error when no keys move
 */
export function turn(state: RingState, givingUp: readonly string[] = [], ejecting?: readonly EjectedNode[]): RingState {
  const change = require(state, 'turn');
  if (givingUp.length === 0) return { ...state, change: { ...change, phase: 'turning' } };
  const anew = givingUp.filter((name) => !change.undrained.includes(name));
  return {
    ...state,
    change: {
      ...change,
      ...(ejecting !== undefined && { ejecting }),
      phase: 'turning',
      undrained: [...change.undrained, ...anew],
      givingUp: anew,
    },
  };
}

/** It is not turned round, and nobody is given up. @throws Error when nobody wanted to */
export function goOn(state: RingState): RingState {
  const { givingUp = [], ejecting: _ejecting, ...change } = require(state, 'go on');
  const undrained = change.undrained.filter((name) => !givingUp.includes(name));
  return { ...state, change: { ...change, undrained, phase: 'moving', still: undefined } };
}

/** Everybody has let go of nodes: the change goes on without them. @throws Error when no fence is raised for that */
export function goOnWithout(state: RingState): RingState {
  const { givingUp: _givingUp, ...change } = require(state, 'go on');
  return { ...state, change: { ...change, phase: 'moving', still: undefined, ...resumed(change) } };
}

/** What has failed is tried again. */
export function resumed(change: Pick<RunningChange, 'resumes'>): Noted {
  return { paused: undefined, resumes: (change.resumes ?? 0) + 1 };
}

/**
 * Everybody has acknowledged: what has moved moves back. The generation that was on its way counts as one that was.
 * @throws Error when no fence is raised for that
 */
export function turnRound(state: RingState, { id, startedAt, by, who }: ChangeIdentity, noted: Noted): RingState {
  const change = require(state, 'turn round');
  return {
    ...state,
    generation: state.generation + 1,
    members: change.members,
    change: {
      ...change,
      ...noted,
      id,
      startedAt,
      by,
      who,
      kind: 'cancel',
      phase: 'moving',
      still: undefined,
      givingUp: undefined,
      // Whoever turns it round wants it to be over.
      paused: undefined,
      members: state.members,
      summary: `cancelled: ${change.summary}`,
    },
  };
}

/** Every source is swept. @throws Error when no keys move */
export function finish(state: RingState): RingState {
  const change = require(state, 'finish');
  const { ejected: _ejected, returned: _returned, processes: _processes, ...rest } = state;
  const { generation, members } = { generation: state.generation + 1, members: change.members };
  return {
    ...rest,
    generation,
    members,
    change: null,
    ...ejectedAfter(state, change),
    ...processesAfter(state, change),
  };
}

/** What is noted with a change while it is under way; another change, or none, is left as it is. */
export function note(state: RingState, changeId: string, noted: Noted): RingState {
  if (state.change?.id !== changeId) return state;
  return { ...state, change: { ...state.change, ...noted } };
}

/**
 * What whoever decides next makes of a state, also after a restart of everybody: a fence that was raised is not known to
 * have been passed, nothing has moved under it, and nobody waits for the sweeps to stand still any more.
 */
export function afterEverybodyIsGone(state: RingState): RingState {
  const phase = phaseOf(state);
  if (phase === 'preparing') return giveUp(state);
  if (phase === 'turning') return goOn(state);
  return state.change?.still === undefined ? state : note(state, state.change.id, { still: undefined });
}

/** @returns the change that the state has; for the step from `stable`, which has none, whatever there is */
function require(state: RingState, step: Exclude<Step, 'prepare'>): RunningChange;
function require(state: RingState, step: 'prepare'): null;
function require(state: RingState, step: Step): RunningChange | null {
  const phase = phaseOf(state);
  if (phaseAfter(phase, step) === null) throw new Error(`'${step}' does not follow '${phase}'`);
  return state.change;
}
