/** Commands of administration that must not go to every node, although such commands are allowed. */
import type { Administration } from '../../commands/columns.js';
import type { Command } from '../../commands/command.js';
import { error as encodeError } from '../../resp/encode.js';
import type { RequestFramer } from '../../resp/request-framer.js';
import { argumentTexts } from '../session/words.js';

/** @returns the error for a command of administration that must not run although such commands are allowed; null: it may */
export function refusalOfAdministration(command: Command, framer: RequestFramer): Buffer | null {
  return command.administration === null ? null : REFUSALS[command.administration](framer);
}

/** That would make users at the nodes, which are no clients' concern. */
const REFUSED_USERS = encodeError(
  'ERR users are changed in the configuration (users, users-file), which is read again on SIGHUP: not by commands',
);

const REFUSALS = {
  settings: refusalOfSettings,
  debug: refusalOfDebug,
  users: () => REFUSED_USERS,
} as const satisfies Record<Administration, (framer: RequestFramer) => Buffer | null>;

/** Where a node is found, which is another place for each: with the same value for all of them, the ring would break. */
const OWN_SETTING =
  /^(?:port|tls-port|bind|bind-source-addr|unixsocket|unixsocketperm|(?:cluster|replica|slave)-announce-.*|cluster-port)$/i;

/** Whether each node has a value of its own for the setting with this name. */
export function isOwnSetting(name: string): boolean {
  return OWN_SETTING.test(name);
}

function refusalOfSettings(framer: RequestFramer): Buffer | null {
  const words = argumentTexts(framer);
  for (let i = 2; i < words.length; i += 2) {
    const name = words[i] ?? '';
    if (isOwnSetting(name)) {
      return encodeError(
        `ERR CONFIG SET failed (possibly related to argument '${name}') - ${whyNot(name)}: CONFIG SET ${name} is not allowed through the proxy: each node has an address of its own`,
      );
    }
  }
  return null;
}

/** As a server says it that cannot take the value: clients may know these words. */
function whyNot(name: string): string {
  if (/^(?:tls-)?port$/i.test(name)) return 'Unable to listen on this port';
  return name.toLowerCase() === 'bind' ? 'Failed to bind to specified addresses' : 'Unable to apply this setting';
}

const ENDS_NODE = "a node's life is not for clients to end";
const MISPLACES_KEYS = 'it would write keys on nodes that do not own them';

/** Words of DEBUG, and why they are refused. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['segfault', 'panic', 'restart', 'crash-and-recover', 'assert', 'oom'].map((word) => [word, ENDS_NODE] as const),
  ['populate', MISPLACES_KEYS],
]);

function refusalOfDebug(framer: RequestFramer): Buffer | null {
  const word = argumentTexts(framer)[1]?.toLowerCase() ?? '';
  const why = REFUSED.get(word);
  if (why === undefined) return null;
  return encodeError(`ERR DEBUG ${word.toUpperCase()} is not allowed through the proxy: ${why}`);
}
