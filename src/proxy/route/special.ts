/** Commands that are looked at once more when their owner is known: the table marks them `special`. */
import type { Command } from '../../commands/command.js';
import { findKeys } from '../../commands/keys.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import type { KeyHash } from '../../ring/rings.js';
import type { KeysOfRequest } from '../request/request.js';
import type { Verdict } from '../request/verdict.js';
import { LATER } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import { settleInOtherDatabase } from './moving/other-database.js';
import type { Router } from './router.js';
import { refusalOfLocalPatterns, refusalOfPatterns } from './sort-patterns.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

/** Sends a command whose owner is known, and whose keys have arrived there. */
export type RunKeyed = (
  client: ClientConnection,
  command: Command,
  owner: number,
  source: Buffer,
  framer: RequestFramer,
  keys: KeysOfRequest,
  keyHash: KeyHash,
) => Verdict;

/**
 * @param owner index of the node that owns the keys of the command which `framer` holds; they have arrived there
 * @param keys what is known of these, for the fence
 * @param runCode runs what calls scripts and functions
 */
export function runSpecial(
  router: Router,
  client: ClientConnection,
  command: Command,
  owner: number,
  source: Buffer,
  framer: RequestFramer,
  keys: KeysOfRequest,
  keyHash: KeyHash,
  runCode: RunKeyed,
): Verdict {
  const snapshot = router.snapshot as RoutingSnapshot;
  switch (command.special) {
    case 'sort': {
      const local = refusalOfLocalPatterns(router.localKeys, framer);
      if (local !== null) return router.refuse(client, command, local);
      const refusal = refusalOfPatterns(snapshot, owner, framer);
      if (refusal === null) break;
      if (client.crossNode === 'refuse') return router.refuse(client, command, refusal);
      return router.apart.run(client, framer, command, findKeys(command, args, framer.argc, source));
    }
    case 'copy':
    case 'move': {
      if (!snapshot.rings.isChanging) break;
      const state = settleInOtherDatabase(router, client, command, framer);
      if (state === WAIT) return LATER;
      if (state === GAVE_UP) return router.refuse(client, command, GAVE_UP_REPLY);
      break;
    }
    case 'script':
    case 'digest':
    case 'code':
      return runCode(client, command, owner, source, framer, keys, keyHash);
    default:
      command.special satisfies null;
  }
  return router.forward(client, command, owner, source, framer, keys, keyHash);
}
