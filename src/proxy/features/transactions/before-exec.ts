/** What EXEC waits for, wherever it runs. */
import { error as encodeError } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { KeyMoves } from '../../key-moves.js';
import { crossSlotReply } from '../../route/replies.js';
import type { Router } from '../../route/router.js';
import { GAVE_UP, WAIT } from '../../route/waiting.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { PublishGate } from '../publish-gate.js';
import type { Transaction } from './transaction.js';

/** EXEC's answer where a command that needs one node has keys on several by now. @param setting `cross-node` */
export function apart(setting: 'allow' | 'refuse'): Buffer {
  return abortedBy(crossSlotReply(setting));
}

/** EXEC's answer where one of its commands would be answered this error. */
export function abortedBy(reply: Buffer): Buffer {
  return encodeError(`EXECABORT Transaction discarded because of: ${reply.toString('utf8', 1)}`);
}

/**
 * What is about all keys (FLUSHALL, KEYS) reaches each node at another time: no key may go from one to another meanwhile.
 * @returns what holds keys still, to be released; null: nothing is to be held; WAIT or GAVE_UP: not yet, or not at all
 */
export function holdMoves(
  router: Router,
  client: ClientConnection,
  { concernsAllKeys, scans }: Transaction,
): KeyMoves | null | typeof WAIT | typeof GAVE_UP {
  // A page that is read while keys begin to move would say of a key that it is nowhere.
  if (scans && router.isFenced) return router.holdForRing(client) ? WAIT : GAVE_UP;
  if (!concernsAllKeys) return null;
  // Keys may begin to move before it has run everywhere.
  if (router.isFenced) return router.holdForRing(client) ? WAIT : GAVE_UP;
  const moves = router.snapshot?.moves ?? null;
  if (moves === null || moves.holdMoves(client)) return moves;
  return client.hold(router.waitsFor) ? WAIT : GAVE_UP;
}

/** Whether the node is still to hear of what was subscribed to before: the client then waits. */
export function publishesTooEarly(
  gate: PublishGate,
  client: ClientConnection,
  framer: RequestFramer,
  { published, codePublishes }: Transaction,
  node: UpstreamNode,
): boolean {
  if (published.length === 0 && !codePublishes) return false;
  if (!client.isBehindReads) {
    // A SUBSCRIBE that came before may be read later in this turn of the event loop.
    client.resumeSoon();
    return true;
  }
  return gate.mustWait(client, framer, node, codePublishes ? null : published);
}
