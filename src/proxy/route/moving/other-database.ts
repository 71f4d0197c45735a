/** COPY with DB, and MOVE: the key that they write is in another database than the client's. */
import type { Command } from '../../../commands/command.js';
import { equalsIgnoreCase } from '../../../resp/bytes.js';
import { parseStrictInteger } from '../../../resp/integer.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { Router } from '../router.js';

const DB = Buffer.from('db');

/**
 * While the ring changes: makes sure that the key has arrived in the other database, too.
 * @returns what `ownerNow` returns
 */
export function settleInOtherDatabase(
  router: Router,
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
): number {
  const source = framer.source as Buffer;
  const key = command.special === 'copy' ? 2 : 1;
  const at = otherDatabaseAt(command, framer);
  if (at === 0) return 0;
  const database = parseStrictInteger(source, args.start[at] as number, args.end[at] as number);
  // The node has the right error for it.
  if (!(database >= 0 && database < router.shared.options.databases)) return 0;
  return router.ownerNow(client, source, args.start[key] as number, args.end[key] as number, database);
}

/** @returns where the other database stands among the arguments, or 0 when there is none */
export function otherDatabaseAt(command: Command, framer: RequestFramer): number {
  if (command.special === 'move') return 2;
  let at = 0;
  for (let i = 3; i + 1 < framer.argc; i++) {
    if (equalsIgnoreCase(framer.source, args.start[i] as number, args.end[i] as number, DB)) at = i + 1;
  }
  return at;
}
