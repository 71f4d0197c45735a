/** Commands that are looked at once more when their owner is known: the table marks them `special`. */
import type { Command } from '../../commands/command.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import type { Dispatcher, Verdict } from '../dispatcher.js';
import type { KeysOfRequest } from '../request/request.js';
import { type ClientConnection, LATER } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import { settleInOtherDatabase } from './moving/other-database.js';
import { refusalOfPatterns } from './sort-patterns.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

/**
 * @param owner index of the node that owns the keys of the command which `framer` holds; they have arrived there
 * @param keys what is known of these, for the fence
 */
export function runSpecial(
  dispatcher: Dispatcher,
  client: ClientConnection,
  command: Command,
  owner: number,
  source: Buffer,
  framer: RequestFramer,
  keys: KeysOfRequest,
  keyHash: number,
): Verdict {
  const snapshot = dispatcher.snapshot as RoutingSnapshot;
  switch (command.special) {
    case 'sort': {
      const refusal = refusalOfPatterns(snapshot, owner, framer);
      if (refusal !== null) return dispatcher.refuse(client, command, refusal);
      break;
    }
    case 'copy':
    case 'move': {
      if (snapshot.nextRing === null) break;
      const state = settleInOtherDatabase(dispatcher, client, command, framer);
      if (state === WAIT) return LATER;
      if (state === GAVE_UP) return dispatcher.refuse(client, command, GAVE_UP_REPLY);
      break;
    }
    case 'script':
    case 'digest':
    case 'code':
      return dispatcher.scripts.run(client, command, owner, source, framer, keys, keyHash);
    default:
      command.special satisfies null;
  }
  return dispatcher.forward(client, command, owner, source, framer, keys, keyHash);
}
