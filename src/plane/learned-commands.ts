import { type CommandInfo, parseCommandReply } from '../commands/build.js';
import type { PlaneHost } from './host.js';

/** What the data plane needs to know of commands beyond the table that it was built with: what nodes say of theirs. */
export class LearnedCommands {
  readonly #plane: Pick<PlaneHost, 'knows' | 'useCommands'>;
  readonly #onLearned: (names: readonly string[]) => void;
  readonly #learned = new Map<string, CommandInfo>();

  /** @param onLearned is told the names of all that were learned so far, when there are more of them */
  constructor(plane: Pick<PlaneHost, 'knows' | 'useCommands'>, onLearned: (names: readonly string[]) => void) {
    this.#plane = plane;
    this.#onLearned = onLearned;
  }

  /** @param reply a node's to COMMAND */
  learn(reply: unknown): void {
    const before = this.#learned.size;
    for (const info of parseCommandReply(reply)) if (!this.#plane.knows(info.name)) this.#learned.set(info.name, info);
    if (this.#learned.size === before) return;
    this.#plane.useCommands([...this.#learned.values()]);
    this.#onLearned([...this.#learned.keys()]);
  }
}
