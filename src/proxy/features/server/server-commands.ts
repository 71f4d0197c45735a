/** What the proxy says of itself as a server: its settings, its role. */
import * as encode from '../../../resp/encode.js';
import type { Router } from '../../route/router.js';
import { answer } from '../../session/words.js';
import type { LocalCommand, LocalCommands } from '../local-command.js';
import { configGet } from './config-command.js';

/** The proxy is the master, and has no replicas. */
const role: LocalCommand = (client, command) =>
  answer(client, command, encode.array([encode.bulk('master'), encode.integer(0), encode.EMPTY_ARRAY]));

export function serverCommands(router: Router) {
  return {
    'config|get': configGet(router),
    role,
  } as const satisfies LocalCommands;
}
