/** Commands whose keys have one owner. */
import type { Command } from '../../commands/command.js';
import { findKeys, keyPositions } from '../../commands/keys.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import { NO_HASH } from '../../ring/rings.js';
import { type KeysOfRequest, KNOWN_KEY, NO_KEYS_AT_ALL, UNKNOWN_KEYS } from '../request/request.js';
import { LATER, type Verdict } from '../request/verdict.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { RoutingSnapshot } from '../snapshot.js';
import { APART, ownerOfSettled } from './moving/moving-keys.js';
import { isReserved, RESERVED_REPLY } from './reserved.js';
import type { Router } from './router.js';
import type { RunKeyed } from './special.js';
import { GAVE_UP, GAVE_UP_REPLY, WAIT } from './waiting.js';

/** Has the frame that `framer` holds run (by `run`) at the node that owns its keys, once they are there. There is a snapshot. */
export function runAtOwner(
  router: Router,
  client: ClientConnection,
  framer: RequestFramer,
  command: Command,
  run: RunKeyed,
): Verdict {
  const source = framer.source as Buffer;
  const { rings } = router.snapshot as RoutingSnapshot;
  const count = findKeys(command, args, framer.argc, source);
  // A command whose keys cannot be told is answered by a node, with the error that Redis has for it.
  if (count <= 0) {
    // A script that declares no keys is not waited for by a fence: it could not be told what it touches.
    const none = count === 0 ? NO_KEYS_AT_ALL : UNKNOWN_KEYS;
    return run(client, command, router.anyNode(), source, framer, none, NO_HASH);
  }
  let owner = -1;
  let keyHash = NO_HASH;
  let keys: KeysOfRequest = KNOWN_KEY;
  for (let i = 0; i < count; i++) {
    const at = keyPositions.at[i] as number;
    const start = args.start[at] as number;
    const end = args.end[at] as number;
    if (isReserved(source, start, end)) return router.refuse(client, command, RESERVED_REPLY);
    const hash = rings.hashOf(source, start, end);
    const node = rings.ownerOf(hash);
    if (i === 0) keyHash = hash;
    else if (keyHash !== hash) keys = UNKNOWN_KEYS;
    if (owner === -1) owner = node;
    else if (owner !== node) owner = APART;
  }
  if (router.isChanging) owner = ownerOfSettled(router, client, source, count);
  switch (owner) {
    case WAIT:
      return LATER;
    case GAVE_UP:
      return router.refuse(client, command, GAVE_UP_REPLY);
    case APART:
      return router.apart.run(client, framer, command, count);
    default:
      return run(client, command, owner, source, framer, keys, keyHash);
  }
}
