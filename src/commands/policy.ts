/**
 * The rows of the command table: what the library's data does not say of a command. How it is routed, how replies
 * merge, where odd keys stand, why it is refused, and what else the proxy decides by it. Adding a command is one row in
 * the file of its area; one that has none is routed by its keys.
 */
import type { Route } from './command.js';
import { CLUSTER } from './rows/cluster.js';
import { CODE } from './rows/code.js';
import { CONNECTION } from './rows/connection.js';
import { HASHES } from './rows/hashes.js';
import { KEYSPACE } from './rows/keyspace.js';
import { LISTS } from './rows/lists.js';
import { MODULES } from './rows/modules.js';
import { PUBSUB } from './rows/pubsub.js';
import type { PolicyRows } from './rows/row.js';
import { SERVER } from './rows/server.js';
import { SETS } from './rows/sets.js';
import { SORTED_SETS } from './rows/sorted-sets.js';
import { STREAMS } from './rows/streams.js';
import { STRINGS } from './rows/strings.js';
import { TRANSACTIONS } from './rows/transactions.js';

export type { PolicyRow } from './rows/row.js';

/** By area. */
export const AREAS = [
  KEYSPACE,
  STRINGS,
  HASHES,
  LISTS,
  SETS,
  SORTED_SETS,
  STREAMS,
  CODE,
  TRANSACTIONS,
  PUBSUB,
  CONNECTION,
  CLUSTER,
  SERVER,
  MODULES,
] as const;

export const POLICY = {
  ...KEYSPACE,
  ...STRINGS,
  ...HASHES,
  ...LISTS,
  ...SETS,
  ...SORTED_SETS,
  ...STREAMS,
  ...CODE,
  ...TRANSACTIONS,
  ...PUBSUB,
  ...CONNECTION,
  ...CLUSTER,
  ...SERVER,
  ...MODULES,
} as const satisfies PolicyRows;

/** The names of the rows with this route (`container|subcommand` of a subcommand). */
type RoutedAs<R extends Route> = {
  [Name in keyof typeof POLICY]: (typeof POLICY)[Name] extends { readonly route: R } ? Name : never;
}[keyof typeof POLICY];

/** Commands that the proxy answers itself: each has a handler. */
export type ProxyCommandName = RoutedAs<'proxy'>;
