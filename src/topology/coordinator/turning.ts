/** Turning a change round: decided before anything turns, so that one that cannot be goes on as it was. */
import { randomUUID } from 'node:crypto';
import { RingproxyError } from '../../errors.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { EjectedNode } from '../state/ejection.js';
import type { RingState, RunningChange } from '../state/ring-state.js';
import { goOnWithout, note, turn, turnRound } from '../state/transitions.js';
import { seeWhoIsThere } from './attendance.js';
import { noChange, notPassed, tooLate } from './refusals.js';
import { standStill } from './stillness.js';
import type { AfterPassing, Running, Term } from './term.js';

const GOES_ON = 'the change was not turned round, it goes on as before';
const NOT_WITHOUT = 'nobody was given up, the change goes on as before';

/** Who has asked for a change. */
export interface Asker {
  /** The proxy at which it was asked for. */
  readonly by: string;
  /** The person or program, as the history tells; undefined: not known. */
  readonly who: string | undefined;
}

export interface TurningPorts {
  /** Everything has moved, and that is being recorded. */
  isFinishing(): boolean;
}

/** @throws RingproxyError when the change may not be turned round */
export function refuseTurning(change: RunningChange, isFinishing: boolean): void {
  if (isFinishing) throw tooLate();
  if (change.undrained.length > 0) {
    throw new RingproxyError(
      'CANNOT_CANCEL',
      'nodes that were given up cannot come back',
      'add them again when it is done',
    );
  }
}

/**
 * Moves hold still (clients do not wait for that), a fence is raised, and the change back is recorded.
 * @throws RingproxyError when that cannot be; then the change goes on as before
 */
export async function turnChangeRound(
  term: Term,
  { record, stored }: Running,
  asker: Asker,
  ports: TurningPorts,
  timers: Timers = systemTimers,
): Promise<void> {
  const identity = { id: randomUUID(), startedAt: new Date().toISOString(), ...asker };
  await term.store.rehearse(turnRound(turn(stored.state), identity, {}));
  await seeWhoIsThere(term.passing, timers);
  const isThis = (change: RunningChange | null): boolean => change?.id === record.id;
  try {
    const asked = await term.record((state) => note(state, record.id, { still: true }));
    const failure = await standStill(
      asked,
      record.id,
      {
        store: term.store,
        signal: term.duty.signal,
        state: () => term.local().stored.state,
        describe: (member) => term.passing.describe(member),
      },
      timers,
    );
    if (term.duty.signal.aborted) throw await term.recorder.lost();
    // It may have come to its end while it was waited for.
    if (!isThis(term.local().stored.state.change)) throw noChange();
    if (ports.isFinishing()) throw tooLate();
    if (failure !== null) throw notPassed(GOES_ON, failure);
    const { keysDropped } = await term.progress.tally(record);
    // Moved keys are held where they are: nothing moves, and nobody knows yet in which direction it will.
    const raised = await term.record(turn);
    const reason = await term.pass(raised, {
      step: (state, processes) => turnRound(state, identity, { processes, keysDropped }),
      isRecorded: ({ change }) => change?.id === identity.id,
    });
    if (reason !== null) throw notPassed(GOES_ON, reason);
  } catch (error) {
    await term.recordAtLast(
      (state) =>
        isThis(state.change) && state.change?.still === true ? note(state, record.id, { still: undefined }) : state,
      () => {},
    );
    throw error;
  }
}

/**
 * The same without a node that has failed, and that is ejected when it is done. What of it is under way at movers fails,
 * so nobody waits until they stand still.
 * @throws RingproxyError when that cannot be; then the change goes on as before
 */
export async function turnRoundWithout(
  term: Term,
  running: Running,
  node: EjectedNode,
  asker: Asker,
  ports: TurningPorts,
  timers: Timers = systemTimers,
): Promise<void> {
  const identity = { id: randomUUID(), startedAt: new Date().toISOString(), ...asker };
  const { record } = running;
  await giveUpBehindFence(term, running, (state) => turn(state, [node.name], [node]), ports, timers, {
    step: async () => {
      const { keysDropped } = await term.progress.tally(record);
      return (state, processes) => turnRound(state, identity, { processes, keysDropped });
    },
    isRecorded: ({ change }) => change?.id === identity.id,
  });
}

/**
 * The change goes on, and what these nodes have not handed over is given up.
 * @param names of nodes that lose keys
 * @throws RingproxyError when that cannot be; then the change goes on as before
 */
export async function goOnWithoutNodes(
  term: Term,
  running: Running,
  names: readonly string[],
  ports: TurningPorts,
  timers: Timers = systemTimers,
): Promise<void> {
  await giveUpBehindFence(term, running, (state) => turn(state, names), ports, timers, {
    step: async () => goOnWithout,
    isRecorded: ({ change }) => change?.phase === 'moving' && names.every((name) => change.undrained.includes(name)),
  });
}

interface BehindFence {
  step(): Promise<AfterPassing['step']>;
  readonly isRecorded: AfterPassing['isRecorded'];
}

/**
 * A proxy may go on with a node that others have given up: its clients would read there what others have written
 * elsewhere since. So everybody who is there has let go of it before that counts, and whoever is not there was dropped by
 * all nodes, also by that one, beforehand.
 */
async function giveUpBehindFence(
  term: Term,
  { record, stored }: Running,
  raise: (state: RingState) => RingState,
  ports: TurningPorts,
  timers: Timers,
  { step, isRecorded }: BehindFence,
): Promise<void> {
  await term.store.rehearse(raise(stored.state));
  await seeWhoIsThere(term.passing, timers);
  if (term.local().stored.state.change?.id !== record.id) throw noChange();
  if (ports.isFinishing()) throw tooLate();
  const next = await step();
  const raised = await term.record(raise);
  const reason = await term.pass(raised, { step: next, isRecorded });
  if (reason !== null) throw notPassed(NOT_WITHOUT, reason);
}
