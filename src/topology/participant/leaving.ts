/**
 * A proxy that ends in order leaves its fleet: no fence waits for it, and nobody has to find out by its lease. It may
 * only go when nothing of it can run at a node any more, so the nodes drop its connections first, also those that it has
 * closed: a node that stands still may not have read them yet.
 */
import type { ProxyStanding } from '../../node/standing.js';
import type { Member } from '../state/ring-state.js';
import type { MemberRecords } from '../store/ring-store.js';
import type { OwnPredecessor } from './own-predecessor.js';

export interface LeavingPorts {
  readonly standing: Pick<ProxyStanding, 'id'> & { revoke(): void };
  readonly store: Pick<MemberRecords, 'deregister'>;
  /** Those that this proxy may have connections to. */
  nodes(): readonly Member[];
  /** Drops all that bears the id of this proxy. */
  readonly predecessor: Pick<OwnPredecessor, 'dropAll' | 'isGone'>;
  info(message: string): void;
}

/** To be called when this proxy serves nobody, and moves nothing, any more. Never throws: its lease ends it anyway. */
export async function leaveFleet({ standing, store, nodes, predecessor, info }: LeavingPorts): Promise<void> {
  const { id } = standing;
  standing.revoke();
  await predecessor.dropAll(nodes());
  if (!predecessor.isGone) {
    info('a node cannot be asked to drop the connections of this proxy: the others take it out when it can');
    return;
  }
  await store.deregister([id]).catch((error: unknown) => {
    info(`this proxy has ended, but is not taken out of the fleet: ${String(error)}`);
  });
}
