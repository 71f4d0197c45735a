/**
 * Which process of each node may serve, where a node that was restarted is emptied first: recorded with the ring, so that
 * proxies that start know it, too. Pure.
 */
import { type NodeIdentity, sameNode } from '../../node/identity.js';
import { runIdIn } from './move-records.js';
import { type NodeProcess, type RingState, type RunningChange, unionOf } from './ring-state.js';

type Known = Pick<RingState, 'processes' | 'members' | 'change'>;

/** @returns the run id of the process that may serve; empty: none is recorded, so any may */
export function processOf(node: NodeIdentity, { processes, change }: Known): string {
  if (processes === undefined) return '';
  const recorded = runIdIn(node, processes);
  // One that joins is the process that the fence has found.
  return recorded === '' && change !== null ? runIdIn(node, change.processes) : recorded;
}

/** These may serve from now on, and the former ones of the same nodes no more. Left as it is while a fence is raised. */
export function withProcesses(state: RingState, now: readonly NodeProcess[]): RingState {
  if (state.change !== null && state.change.phase !== 'moving') return state;
  const nodes = unionOf(state.members, state.change?.members ?? []);
  const known = now.filter((process) => nodes.some((node) => sameNode(node, process)));
  const rest = (state.processes ?? []).filter((old) => !known.some((process) => sameNode(process, old)));
  return known.length === 0 ? state : { ...state, processes: [...rest, ...known] };
}

/** The same of those of which nothing is recorded. */
export function withFirstProcesses(state: RingState, now: readonly NodeProcess[]): RingState {
  return withProcesses(
    state,
    now.filter((process) => processOf(process, state) === ''),
  );
}

/** Any process may serve: nobody asks which one does. */
export function withoutProcesses(state: RingState): RingState {
  if (state.processes === undefined) return state;
  const { processes: _processes, ...rest } = state;
  return rest;
}

/** What is recorded once a change has ended. A ring of which nothing is recorded stays so. */
export function processesAfter(state: RingState, { members }: RunningChange): Pick<RingState, 'processes'> {
  if (state.processes === undefined) return {};
  const processes = members.flatMap(({ name, address }) => {
    const runId = processOf({ name, address }, state);
    return runId === '' ? [] : [{ name, address, runId }];
  });
  return { processes };
}
