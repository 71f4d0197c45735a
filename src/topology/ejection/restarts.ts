/**
 * Nodes behind which another process is than the one that may serve: which of them can be emptied now. Pure.
 */
import { parseFollowed } from '../../node/followed.js';
import { nodeKey } from '../../node/identity.js';
import { processIn } from '../../node/restarted.js';
import { processOf } from '../state/processes.js';
import { type Member, type NodeProcess, type RingState, unionOf } from '../state/ring-state.js';
import type { ProxyOpinion } from './judgement.js';

export interface RestartSight {
  readonly state: RingState;
  /** One of each live proxy, this one included. */
  readonly opinions: readonly ProxyOpinion[];
  /** Of the process that answers this proxy, and is not down for it; null: none does, or it does not say. */
  runningAt(node: Member): string | null;
}

/** A process that may serve once it is emptied, instead of the one that is recorded. */
export interface ToEmpty {
  readonly node: NodeProcess;
  /** Its run id. */
  readonly instead: string;
}

export interface Restarts {
  /** Of these nodes nothing is recorded: these processes may serve. */
  readonly first: readonly NodeProcess[];
  /** To be emptied: every live proxy has found this process, and so has let go of the former one. */
  readonly toEmpty: readonly ToEmpty[];
}

export function restartsOf({ state, opinions, runningAt }: RestartSight): Restarts {
  const given = state.change?.undrained ?? [];
  const nodes = unionOf(state.members, state.change?.members ?? []).filter(
    // Another server is what a node that fails over is every time.
    ({ name, address }) => !given.includes(name) && parseFollowed(address) === null,
  );
  const first = state.members.flatMap((node) => {
    const runId = nodes.includes(node) && processOf(node, state) === '' ? runningAt(node) : null;
    return runId === null ? [] : [{ name: node.name, address: node.address, runId }];
  });
  const toEmpty = nodes.flatMap((node) => {
    const instead = processOf(node, state);
    if (instead === '') return [];
    const [runId = null, ...others] = opinions.map(({ down }) => processIn(down?.get(nodeKey(node))?.why ?? ''));
    const isAgreed = runId !== null && runId !== instead && others.every((other) => other === runId);
    return isAgreed ? [{ node: { name: node.name, address: node.address, runId }, instead }] : [];
  });
  return { first, toEmpty };
}
