/**
 * What becomes of commands on keys whose group has a policy (`caching/policy.ts`), before they are routed: the features
 * that carry policies out, one after the other. Without groups that have one, nobody comes here.
 */
import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';

/** The command is routed as if its keys had no policy. */
export const PASS = -1;

/** What a feature does with a command on a key whose group has a policy. */
export interface PolicyStep {
  /**
   * Handles the frame that `framer` holds, or leaves it (PASS) to the step behind. Which keys have which policy, the
   * groups know.
   */
  dispatch(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): Verdict | typeof PASS;
  /** The groups have changed. */
  onGroups(): void;
}

export class Policies {
  readonly #steps: readonly PolicyStep[];

  /** @param steps in the order in which they look at a command */
  constructor(steps: readonly PolicyStep[]) {
    this.#steps = steps;
  }

  dispatch(client: ClientConnection, framer: RequestFramer, command: Command, source: Buffer): Verdict | typeof PASS {
    for (const step of this.#steps) {
      const verdict = step.dispatch(client, framer, command, source);
      if (verdict !== PASS) return verdict;
    }
    return PASS;
  }

  /** The groups have changed. */
  onGroups(): void {
    for (const step of this.#steps) step.onGroups();
  }
}
