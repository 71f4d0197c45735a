/** Taking the moves of a source over: nothing of those that had them before may run any more. */
import { messageOf } from '../../errors.js';
import { NodeFailure } from '../../node/failure.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Claim } from '../state/fleet.js';
import type { Member } from '../state/ring-state.js';
import type { RingStore } from '../store/ring-store.js';

export interface TakeOverPorts {
  /** Makes the nodes drop the predecessors' connections. @throws when a node cannot be asked */
  drop(nodes: readonly Member[]): Promise<void>;
  /** What keeps it waiting, each time that it has tried; null: nothing any more. */
  onWait(failure: string | null): void;
  isClosed(): boolean;
}

const RETRY_MS = 500;

/**
 * A predecessor's moves may still lie at a node, and would run late: waits until every node has dropped its connections.
 * A node that refuses connections has no process that could run them.
 * @returns false when it was closed before
 */
export async function dropPredecessors(
  nodes: readonly Member[],
  ports: TakeOverPorts,
  timers: Pick<Timers, 'after'> = systemTimers,
): Promise<boolean> {
  for (const node of nodes) {
    while (!ports.isClosed()) {
      try {
        await ports.drop([node]);
        break;
      } catch (error) {
        if (error instanceof NodeFailure && error.nobodyListens) break;
        ports.onWait(`waits for ${messageOf(error)}`);
        await new Promise<void>((resolve) => timers.after(RETRY_MS, resolve));
      }
    }
  }
  if (ports.isClosed()) return false;
  ports.onWait(null);
  return true;
}

export interface PredecessorsPorts {
  readonly store: Pick<RingStore, 'members'>;
  /** The nodes of the change without those that were given up. */
  reachable(): readonly Member[];
  /** Makes the nodes drop all connections of these proxies. @throws when a node cannot be asked */
  killPredecessors(nodes: readonly Member[], proxies: readonly string[]): Promise<void>;
  /**
   * Makes the nodes drop the connections of those that moved the source's keys by an earlier claim.
   * @throws when a node cannot be asked
   */
  killEarlierMovers(nodes: readonly Member[], source: Member, claim: Claim): Promise<void>;
}

/** Those that moved keys of a change before. */
export class Predecessors {
  readonly #nodes: readonly Member[];
  readonly #ports: PredecessorsPorts;

  /** @param nodes those of the change: sources are indices of it */
  constructor(nodes: readonly Member[], ports: PredecessorsPorts) {
    this.#nodes = nodes;
    this.#ports = ports;
  }

  /** The connections of those that moved the source's keys by a claim before this one. @throws when a node cannot be asked */
  async dropEarlier(asked: readonly Member[], source: number, claim: Claim): Promise<void> {
    const node = this.#nodes[source];
    if (node !== undefined) await this.#ports.killEarlierMovers(asked, node, claim);
  }

  /**
   * Waits until nothing of those that moved the source's keys before can run any more.
   * @param ports.onWait as in `TakeOverPorts`
   * @returns false when it was ended before
   */
  async takeOver(
    source: number,
    claim: Claim,
    { onWait, isClosed }: Pick<TakeOverPorts, 'onWait' | 'isClosed'>,
  ): Promise<boolean> {
    const { store, reachable, killPredecessors } = this.#ports;
    const members = await store.members();
    const gone = members.filter((member) => member.fencedOff).map(({ id }) => id);
    return dropPredecessors(reachable(), {
      drop: async (asked) => {
        if (gone.length > 0) await killPredecessors(asked, gone);
        await this.dropEarlier(asked, source, claim);
      },
      isClosed,
      onWait,
    });
  }
}
