import type { CommandTable } from '../../commands/table.js';
import { type CommandEvent, commandAnswered } from '../events.js';
import { commandName } from './command-names.js';
import type { AnswerObserver } from './counters.js';

/** Publishes an event for each command. */
export class CommandObserver implements AnswerObserver {
  readonly #table: () => CommandTable;

  constructor(table: () => CommandTable) {
    this.#table = table;
  }

  /** Itself while somebody listens, otherwise null. */
  get wanted(): CommandObserver | null {
    return commandAnswered.hasSubscribers ? this : null;
  }

  answered(command: number, milliseconds: number, failed: boolean): void {
    const event: CommandEvent = { command: commandName(this.#table(), command), seconds: milliseconds / 1000, failed };
    commandAnswered.publish(event);
  }
}
