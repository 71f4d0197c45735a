import type { Command } from '../../commands/command.js';
import type { ProxyCommandName } from '../../commands/policy.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import { clientUnblock } from './blocking/client-unblock.js';
import { wait } from './blocking/wait.js';
import { clientCommands } from './clients/client-commands.js';
import { clusterCommands } from './cluster/cluster-commands.js';
import type { Features } from './compose.js';
import { connectionCommands } from './connection/connection-commands.js';
import { monitor } from './monitor/monitors.js';
import { pubsubCommands } from './pubsub/commands.js';
import { configGet } from './server/config-command.js';
import { serverCommands } from './server/server-commands.js';
import { trackingCommands } from './tracking/commands.js';
import { transactionCommands } from './transactions/transaction-commands.js';

/** Answers a command without a node. */
export type LocalCommand = (
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  features: Features,
) => Verdict;

/** Some of the handlers of commands that the proxy answers itself: the type of each feature's share. */
export type LocalCommands = Readonly<Partial<Record<ProxyCommandName, LocalCommand>>>;

const HANDLERS = {
  ...connectionCommands,
  ...clientCommands,
  ...transactionCommands,
  ...pubsubCommands,
  ...trackingCommands,
  ...clusterCommands,
  ...serverCommands,
  'config|get': configGet,
  'client|unblock': clientUnblock,
  monitor,
  wait,
  waitaof: wait,
} satisfies Readonly<Record<ProxyCommandName, LocalCommand>>;

/** The commands that the proxy answers itself, by name (`container|subcommand`). */
export const LOCAL_COMMANDS: ReadonlyMap<string, LocalCommand> = new Map(Object.entries<LocalCommand>(HANDLERS));
