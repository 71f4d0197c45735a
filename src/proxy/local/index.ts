import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { ClientConnection } from '../client/client-connection.js';
import { clientCommands } from '../clients/client-commands.js';
import { clusterCommands } from '../cluster/cluster-commands.js';
import { monitor } from '../monitor/monitors.js';
import type { Dispatcher, Verdict } from '../plan/dispatcher.js';
import { clientUnblock } from '../private/client-unblock.js';
import { transactionCommands } from '../private/transaction-commands.js';
import { wait } from '../private/wait.js';
import { pubsubCommands } from '../pubsub/commands.js';
import { trackingCommands } from '../tracking/commands.js';
import { configGet } from './config-command.js';
import { connectionCommands } from './connection-commands.js';
import { serverCommands } from './server-commands.js';

/** Answers a command without a node. */
export type LocalCommand = (
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  dispatcher: Dispatcher,
) => Verdict;

/** The commands that the proxy answers itself, by name (`container|subcommand`). */
export const LOCAL_COMMANDS: ReadonlyMap<string, LocalCommand> = new Map<string, LocalCommand>([
  ...Object.entries(connectionCommands),
  ...Object.entries(clientCommands),
  ...Object.entries(transactionCommands),
  ...Object.entries(pubsubCommands),
  ...Object.entries(trackingCommands),
  ...Object.entries(clusterCommands),
  ...Object.entries(serverCommands),
  ['config|get', configGet],
  ['client|unblock', clientUnblock],
  ['monitor', monitor],
  ['wait', wait],
  ['waitaof', wait],
]);
