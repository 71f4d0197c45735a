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
  readonly #ofMaster: (member: Member) => string;
  #isAsked: boolean;

  /**
   * @param recorded the ring as it is recorded, or null
   * @param ofMaster of a node that fails over, whose master is recorded apart from the ring
   */
  constructor(config: Wanted, recorded: () => RingState | null, ofMaster: (member: Member) => string) {
    this.#recorded = recorded;
    this.#ofMaster = ofMaster;
    this.#isAsked = emptiesRestarted(config);
  }

  /** These settings are in force from now on. */
  use(read: Wanted): void {
    this.#isAsked = emptiesRestarted(read);
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** @returns as `NodeEndpoint.process` */
  of(member: Member): string | undefined {
    if (!this.#isAsked) return undefined;
    if (parseFollowed(member.address) !== null) return this.#ofMaster(member);
    const state = this.#recorded();
    return state === null ? '' : processOf(member, state);
  }
}
