import type { Command } from '../../commands/command.js';
import type { ProxyCommandName } from '../../commands/policy.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import { clientCommands } from './clients/client-commands.js';
import { clusterCommands } from './cluster/cluster-commands.js';
import type { Features } from './compose.js';
import { connectionCommands } from './connection/connection-commands.js';
import { monitor } from './monitor/monitors.js';
import { pubsubCommands } from './pubsub/commands.js';
import { configGet } from './server/config-command.js';
import { serverCommands } from './server/server-commands.js';
import { trackingCommands } from './tracking/commands.js';

/** Answers a command without a node. */
export type LocalCommand = (
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  features: Features,
) => Verdict;

/** Some of the handlers of commands that the proxy answers itself: the type of each feature's share. */
export type LocalCommands = Readonly<Partial<Record<ProxyCommandName, LocalCommand>>>;

/** The commands that the proxy answers itself, by name (`container|subcommand`). */
export function localCommands(features: Features): ReadonlyMap<string, LocalCommand> {
  const handlers = {
    ...connectionCommands,
    ...clientCommands,
    ...features.transactions.commands,
    ...pubsubCommands,
    ...trackingCommands,
    ...clusterCommands,
    ...serverCommands,
    ...features.blocking.commands,
    'config|get': configGet,
    monitor,
  } satisfies Readonly<Record<ProxyCommandName, LocalCommand>>;
  return new Map(Object.entries<LocalCommand>(handlers));
}
