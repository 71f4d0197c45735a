import { describe, expect, it } from 'vitest';
import {
  processOf,
  withFirstProcesses,
  withoutProcesses,
  withProcesses,
} from '../../../src/topology/state/processes.js';
import type { Member, RingState, RunningChange } from '../../../src/topology/state/ring-state.js';
import { finish, move, prepare, turn, turnRound } from '../../../src/topology/state/transitions.js';
import { ringState } from '../../../src/topology/store/ring-schema.js';
import { OPTIONS } from '../manager-stage.js';

const AT = '2026-01-01T00:00:00.000Z';
const [A, B, C] = ['a', 'b', 'c'].map(
  (name, id): Member => ({ name, address: `${name}:1`, weight: 1, id, access: {} }),
) as [Member, Member, Member];
const is = ({ name, address }: Member, runId: string) => ({ name, address, runId });
const RING: RingState = { generation: 1, members: [A, B], options: OPTIONS, change: null };
const KNOWN = withFirstProcesses(RING, [is(A, 'a1'), is(B, 'b1')]);
const change = (members: readonly Member[]): Omit<RunningChange, 'phase'> => ({
  ...{ id: 'x', kind: 'apply', members, startedAt: AT, summary: '', undrained: [], processes: [] },
});
const runIds = (state: RingState): string[] => [A, B, C].map((node) => processOf(node, state));

describe('the processes that may serve', () => {
  it('are those that were found first, until they are recorded anew; of others nothing is kept', () => {
    expect(runIds(RING)).toEqual(['', '', '']);
    const later = withFirstProcesses(KNOWN, [is(A, 'a2'), is(C, 'c1')]);
    expect(later).toBe(KNOWN);
    expect(runIds(withProcesses(KNOWN, [is(A, 'a2')]))).toEqual(['a2', 'b1', '']);
    expect(ringState.parse(JSON.parse(JSON.stringify(KNOWN))).processes).toEqual(KNOWN.processes);
    expect(withoutProcesses(KNOWN)).toEqual(RING);
  });

  it('are left as they are while a fence is raised, whoever waits for it goes by the record', () => {
    const preparing = prepare(KNOWN, change([A, B, C]));
    expect(withProcesses(preparing, [is(A, 'a2')])).toBe(preparing);
    const moving = move(preparing, []);
    expect(processOf(A, withProcesses(moving, [is(A, 'a2')]))).toBe('a2');
    expect(withProcesses(turn(moving), [is(A, 'a2')]).processes).toEqual(KNOWN.processes);
  });

  it('of a node that joins is the one that the fence has found, unless it was restarted since; of one that leaves, none', () => {
    // A was restarted just before: its former process is still the one that may.
    const found = [is(A, 'a2'), is(B, 'b1'), is(C, 'c1')];
    const moving = move(prepare(KNOWN, change([A, C])), found);
    expect(runIds(moving)).toEqual(['a1', 'b1', 'c1']);
    expect(runIds(finish(moving))).toEqual(['a1', '', 'c1']);
    expect(runIds(finish(withProcesses(moving, [is(C, 'c2')])))).toEqual(['a1', '', 'c2']);
    const back = finish(turnRound(turn(moving), { id: 'y', startedAt: AT }, {}));
    expect(runIds(back)).toEqual(['a1', 'b1', '']);
  });

  it('are of no interest to a ring of which none are recorded, also behind a change', () => {
    const moving = move(prepare(RING, change([A, B, C])), [is(A, 'a1'), is(C, 'c1')]);
    expect(runIds(moving)).toEqual(['', '', '']);
    expect(finish(moving).processes).toBeUndefined();
  });
});
