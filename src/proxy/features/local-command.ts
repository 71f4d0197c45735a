import type { Command } from '../../commands/command.js';
import type { ProxyCommandName } from '../../commands/policy.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';

/** Answers a command without a node. */
export type LocalCommand = (client: ClientConnection, command: Command, framer: RequestFramer) => Verdict;

/** A feature's share of the commands that the proxy answers itself, by name (`container|subcommand`). */
export type LocalCommands = Readonly<Partial<Record<ProxyCommandName, LocalCommand>>>;
