import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';

/** Runs what needs one node while its keys are on several, or refuses it. */
export interface ApartCommands {
  /** `framer` holds the command, and `keyPositions` its `count` keys, all of which have arrived at their owners. */
  run(client: ClientConnection, framer: RequestFramer, command: Command, count: number): Verdict;
}
