/**
 * What becomes of commands on keys whose group has a policy (`caching/policy.ts`), before they are routed: the features
 * that carry policies out, one after the other. Without groups that have one, nobody comes here.
 */
import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Request } from '../request/request.js';
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

/** What a feature does behind a command on a key whose group has a policy. */
export interface PolicyFollower {
  /**
   * The command that `framer` holds was taken: it was sent to its nodes, or answered here.
   * @param request the command's, which may be answered already, but has not left; null: it has no request any more
   */
  follow(client: ClientConnection, framer: RequestFramer, command: Command, request: Request | null): void;
}

export class Policies {
  readonly #steps: readonly PolicyStep[];
  readonly #followers: readonly PolicyFollower[];
  /** Requests that the client of the command at hand had before. */
  #enqueued = 0;

  /** @param steps in the order in which they look at a command @param followers in the order of what they send behind it */
  constructor(steps: readonly PolicyStep[], followers: readonly PolicyFollower[]) {
    this.#steps = steps;
    this.#followers = followers;
  }

  dispatch(client: ClientConnection, framer: RequestFramer, command: Command): Verdict | typeof PASS {
    this.#enqueued = client.enqueued;
    for (const step of this.#steps) {
      // The step before may have written the frame anew, in another buffer.
      const verdict = step.dispatch(client, framer, command, framer.source as Buffer);
      if (verdict !== PASS) return verdict;
    }
    return PASS;
  }

  /** The command that `framer` holds was taken, by a step or by its route. */
  follow(client: ClientConnection, framer: RequestFramer, command: Command): void {
    const request = client.enqueued === this.#enqueued ? null : client.lastRequest;
    for (const follower of this.#followers) follower.follow(client, framer, command, request);
  }

  /** The groups have changed. */
  onGroups(): void {
    for (const step of this.#steps) step.onGroups();
  }
}
