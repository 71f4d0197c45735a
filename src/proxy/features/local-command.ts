import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';

/** Answers the command that `framer` holds without a node, or sends nodes what it takes to answer it. */
export type LocalCommand = (client: ClientConnection, command: Command, framer: RequestFramer) => Verdict;
