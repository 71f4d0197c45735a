/** Which process of each node may serve, as this proxy's settings want it asked. */
import type { Config } from '../config/settings.js';
import { parseFollowed } from '../node/followed.js';
import { processOf } from '../topology/state/processes.js';
import type { Member, RingState } from '../topology/state/ring-state.js';

type Wanted = Pick<Config, 'onNodeFailure' | 'onNodeRestart'>;

/** Whether a node that was restarted is emptied before it serves. */
export function emptiesRestarted({ onNodeFailure, onNodeRestart }: Wanted): boolean {
  return onNodeFailure === 'eject' && onNodeRestart === 'empty';
}

export class NodeProcesses {
  readonly #recorded: () => RingState | null;
  #isAsked: boolean;

  /** @param recorded the ring as it is recorded, or null */
  constructor(config: Wanted, recorded: () => RingState | null) {
    this.#recorded = recorded;
    this.#isAsked = emptiesRestarted(config);
  }

  /** These settings are in force from now on. */
  use(read: Wanted): void {
    this.#isAsked = emptiesRestarted(read);
  }

  /** @returns as `NodeEndpoint.process`: a node that fails over is another process by right */
  of(member: Member): string | undefined {
    if (!this.#isAsked || parseFollowed(member.address) !== null) return undefined;
    const state = this.#recorded();
    return state === null ? '' : processOf(member, state);
  }
}
