/** How a server that is looked at is spoken to by TLS: as `serve` speaks to nodes with the same environment. */
import { type Command, Option } from 'commander';
import { parseFlag } from '../src/config/units.js';
import type { NodeEndpoint } from '../src/node/endpoint.js';
import { nodeTlsByFiles } from '../src/node/tls-by-files.js';
import { CliError } from './cli-error.js';

export interface NodeTlsOptions {
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = 'RINGPROXY_NODE_TLS';

export function withNodeTlsOptions(command: Command): Command {
  const file = (flag: string, what: string): Option =>
    new Option(`--tls-${flag} <file>`, `${what} (env: ${VARIABLE}_${flag.toUpperCase()})`);
  return command
    .option('--tls', `speak TLS, as with rediss:// in front of the address (env: ${VARIABLE}=on)`)
    .addOption(file('ca', 'certificates (PEM) of the authority that signs its own; without: those that Node.js brings'))
    .addOption(file('cert', 'certificate (PEM) to show it'))
    .addOption(file('key', 'its private key (PEM)'))
    .option(
      '--tls-server-name <name>',
      `name that its certificate bears, if not the host (env: ${VARIABLE}_SERVER_NAME)`,
    );
}

/**
 * A flag beats the scheme of the address, and that the environment.
 * @param scheme what stands in front of the address: `rediss://` (true), `redis://` (false), nothing (undefined)
 * @returns undefined: without TLS
 * @throws CliError when files cannot be used, or nothing says that TLS is to be spoken with them
 */
export function nodeTlsOf(
  options: NodeTlsOptions,
  scheme: boolean | undefined,
  env: Environment,
): NodeEndpoint['tls'] | undefined {
  const { tls = scheme ?? isOn(env[VARIABLE]), tlsCa, tlsCert, tlsKey, tlsServerName } = options;
  if (!tls) {
    const given = [tlsCa, tlsCert, tlsKey, tlsServerName].some((value) => value !== undefined);
    if (given) throw new CliError('nothing says that TLS is to be spoken', 'add --tls, or write rediss://HOST:PORT', 2);
    return undefined;
  }
  const files = {
    ca: tlsCa ?? env[`${VARIABLE}_CA`] ?? '',
    cert: tlsCert ?? env[`${VARIABLE}_CERT`] ?? '',
    key: tlsKey ?? env[`${VARIABLE}_KEY`] ?? '',
  };
  const { tls: speech, mistakes } = nodeTlsByFiles(files, tlsServerName ?? env[`${VARIABLE}_SERVER_NAME`] ?? '');
  if (mistakes.length > 0) {
    const said = mistakes.map(({ part, message }) => `--tls-${part}: ${message}`).join('; ');
    throw new CliError(said, 'name files in PEM, the key without a passphrase', 2);
  }
  return speech;
}

/** As the setting `node-tls` is written in the environment. @throws CliError when it is neither on nor off */
function isOn(text = ''): boolean {
  const flag = text === '' ? false : parseFlag(text);
  if (flag === null) throw new CliError(`${VARIABLE} is '${text}'`, 'expected on or off', 2);
  return flag;
}
