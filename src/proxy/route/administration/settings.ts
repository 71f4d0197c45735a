/** Settings of nodes that must not be the same everywhere. */
import { error as encodeError } from '../../../resp/encode.js';
import type { RequestFramer } from '../../../resp/request-framer.js';
import { argumentTexts } from '../../session/words.js';

/** Where a node is found, which is another place for each: with the same value for all of them, the ring would break. */
const OWN_SETTING =
  /^(?:port|tls-port|bind|bind-source-addr|unixsocket|unixsocketperm|(?:cluster|replica|slave)-announce-.*|cluster-port)$/i;

/** Whether each node has a value of its own. */
export function isOwnSetting(name: string): boolean {
  return OWN_SETTING.test(name);
}

/** As a server says it that cannot take the value: clients may know these words. */
function whyNot(name: string): string {
  if (/^(?:tls-)?port$/i.test(name)) return 'Unable to listen on this port';
  return name.toLowerCase() === 'bind' ? 'Failed to bind to specified addresses' : 'Unable to apply this setting';
}

/** @returns the error for a CONFIG SET that must not go to every node; null: it may */
export function refusalOfSettings(framer: RequestFramer): Buffer | null {
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
