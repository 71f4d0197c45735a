/** What a change comes to while nodes are down: what it waits for, what it cannot do, and what helps. */
import { RingproxyError } from '../../errors.js';
import type { NodeHealth } from '../../health/node-monitor.js';
import type { RingMove } from '../../ring/moves.js';
import type { Member } from '../state/ring-state.js';

export interface ChangeOfDead {
  /** Of the ring as it is. */
  readonly members: readonly Member[];
  /** Names of nodes that leave, or are replaced. */
  readonly leaving: readonly string[];
  /** Of those, the ones whose keys are given up. */
  readonly undrained: readonly string[];
  readonly moves: readonly RingMove[];
  /** What is known of a node's health, or null. */
  health(node: Member): NodeHealth | null;
}

export interface DeadNodes {
  /** A sentence for each node that is down and whose keys are to move: the others' keys move, and then it is waited for. */
  readonly sources: string[];
  /** Each node that is down and would get keys: clients would wait for these, which are served now. */
  readonly targets: { readonly what: string; readonly hint: string }[];
}

export function findDeadNodes({ members, leaving, undrained, moves, health }: ChangeOfDead): DeadNodes {
  const down = members.filter((node) => health(node)?.up === false && !undrained.includes(node.name));
  // Keys that are given up do not arrive anywhere.
  const moved = moves.filter(({ source }) => !undrained.includes(source));
  const removal = `ringproxy ring remove ${down.map(({ name }) => name).join(' ')} --no-drain`;
  const sources: string[] = [];
  const targets: DeadNodes['targets'] = [];
  for (const node of down) {
    const error = health(node)?.error ?? null;
    const is = `${node.name} (${node.address}) is down${error === null ? '' : ` (${error})`}`;
    const gives = shareOf(moved.filter(({ source }) => source === node.name));
    // A server that takes the place of another one has its name.
    const stays = !leaving.includes(node.name);
    const gets = stays ? shareOf(moved.filter(({ target }) => target === node.name)) : 0;
    const gone = stays ? `take it out first: ${removal}` : 'ask for this with --no-drain, which gives its keys up';
    if (gets > 0) {
      targets.push({
        what: `${is}, and would get keys of ${percent(gets)} of the ring`,
        hint: `bring it back, or ${gone}`,
      });
    }
    if (gives > 0) {
      sources.push(
        `${is}, and its keys of ${percent(gives)} of the ring are to move: the change waits until it answers; if it is gone, ${gone}`,
      );
    }
  }
  return { sources, targets };
}

/**
 * @param looks the change is only tried: what it would be refused for is a warning
 * @returns warnings
 * @throws RingproxyError NODE_UNREACHABLE
 */
export function refuseDeadTargets({ targets }: DeadNodes, looks: boolean): string[] {
  if (looks) return targets.map(({ what, hint }) => `this would be refused: ${what}; ${hint}`);
  const [first] = targets;
  if (first === undefined) return [];
  throw new RingproxyError('NODE_UNREACHABLE', first.what, first.hint);
}

function shareOf(moves: readonly RingMove[]): number {
  return moves.reduce((sum, { share }) => sum + share, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
