/**
 * A client waits for a key that moves, and has sent more commands behind that one: their keys are moved at the same time.
 * Otherwise a pipeline would wait once for each of them, one behind the other.
 *
 * It only says earlier what these commands would say anyway, and changes nothing about where and when they run: a key that
 * was moved for a command which then does not run, or in another database, has moved a moment before the sweep.
 */
import { findKeys, keyPositions } from '../../../commands/keys.js';
import type { CommandTable } from '../../../commands/table.js';
import { args, COMPLETE, RequestFramer } from '../../../resp/request-framer.js';
import type { MoveWaiter } from '../../key-moves.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { RoutingSnapshot } from '../../snapshot.js';
import { isReserved } from '../reserved.js';

/** Commands that are looked at, each time that a client begins to wait. */
const MOST_COMMANDS = 64;
/** Keys that are moved ahead for one client: what a batch of the mover takes. */
const MOST_KEYS = 64;
/** Longer keys are copied for nobody who does not wait for them yet. Bytes. */
const LONGEST_KEY = 1024;

/** The command that waits for it comes later, and asks again. */
const NOBODY: MoveWaiter = { resumeSoon: () => {} };

/** It keeps nothing from one client to the next. */
const framer = new RequestFramer({
  maxArgs: 1_048_576,
  maxBulkLength: 536_870_912,
  maxInlineLength: 65_536,
  authenticated: true,
});

/**
 * Asks for the keys of the commands in `buffer[start, end)` that move, and are not known to have moved. What `args` and
 * `keyPositions` say is another command's then.
 */
export function settleAhead(
  snapshot: RoutingSnapshot,
  table: CommandTable,
  client: ClientConnection,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  let left = MOST_KEYS;
  let at = start;
  for (let commands = 0; commands < MOST_COMMANDS && left > 0 && at < end; commands++) {
    if (framer.next(buffer, at, end) !== COMPLETE) break;
    at = framer.consumed;
    if (framer.argc > 1) left -= settleKeys(snapshot, table, client, left);
  }
  framer.reset();
}

/** Of the command that `framer` holds. @returns how many keys were asked for */
function settleKeys(
  { rings, moves }: RoutingSnapshot,
  table: CommandTable,
  client: ClientConnection,
  most: number,
): number {
  const source = framer.source as Buffer;
  const named = table.lookup(source, args.start[0] as number, args.end[0] as number);
  const command = named?.subcommands?.lookup(source, args.start[1] as number, args.end[1] as number) ?? named;
  if (command === undefined || moves === null) return 0;
  const { database } = client.kind;
  const count = findKeys(command, args, framer.argc, source);
  let asked = 0;
  for (let i = 0; i < count && asked < most; i++) {
    const position = keyPositions.at[i] as number;
    const start = args.start[position] as number;
    const end = args.end[position] as number;
    if (end - start > LONGEST_KEY || isReserved(source, start, end)) continue;
    const hash = rings.hashOf(source, start, end);
    const owner = rings.ownerOf(hash);
    const next = rings.nextOwnerOf(hash);
    if (next === owner || moves.isSettled(owner, database, source, start, end)) continue;
    moves.settle(owner, next, database, Buffer.from(source.subarray(start, end)), NOBODY);
    asked++;
  }
  return asked;
}
