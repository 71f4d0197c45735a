/** `ringproxy node check`: asks a server itself whether it would do as a node, without a proxy. */
import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../src/config/units.js';
import { judgeNode } from '../src/health/verdict.js';
import { formatAddress, parseNodeAddress, withoutLogin, withoutScheme } from '../src/node/address.js';
import { looksFollowed } from '../src/node/followed.js';
import { readPassword } from './access-options.js';
import { CliError } from './cli-error.js';
import { describeVerdict } from './node-check-view.js';
import { type NodeTlsOptions, nodeTlsOf, withNodeTlsOptions } from './node-tls-options.js';

interface CheckOptions extends NodeTlsOptions {
  readonly username?: string;
  readonly passwordFile?: string;
  readonly databases?: number;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly json?: boolean;
}

/** As for `serve`: one environment serves both. */
const USERNAME_VARIABLE = 'RINGPROXY_NODE_USERNAME';
const PASSWORD_VARIABLE = 'RINGPROXY_NODE_PASSWORD';
const DATABASES_VARIABLE = 'RINGPROXY_DATABASES';
const DATABASES = '16';
const TIMEOUT = '5s';

export function registerNodeCommands(program: Command): void {
  const node = program.command('node').description('look at a server that is to be a node');
  const check = node
    .command('check')
    .description('which rights and settings a server lacks as a node, what for, and the ACL line that gives them')
    .argument('<address>', 'HOST:PORT, rediss://HOST:PORT, or unix:/PATH; no proxy needs to run')
    .option('--username <user>', `the proxy's user there (env: ${USERNAME_VARIABLE})`)
    .option('--password-file <file>', `file with its password; -: standard input (env: ${PASSWORD_VARIABLE})`)
    .option(
      '--databases <n>',
      `how many the ring needs, as databases of the proxy (env: ${DATABASES_VARIABLE}; default: ${DATABASES})`,
      countOf,
    )
    .option('--timeout <time>', `how long it may take to connect, and to answer (default: ${TIMEOUT})`, timeOf);
  withNodeTlsOptions(check)
    .option('--json', 'print JSON')
    .action(async (text: string, options: CheckOptions) => {
      const { address, scheme } = addressOf(text);
      const login = loginOf(options);
      const tls = nodeTlsOf(options, scheme, process.env);
      const databases = options.databases ?? databasesOf(process.env[DATABASES_VARIABLE] || DATABASES);
      const timeout = options.timeout ?? timeOf(TIMEOUT);
      const verdict = await judgeNode({ name: address, address, tls, ...login }, databases, timeout);
      const said = options.json === true ? JSON.stringify(verdict, null, 2) : describeVerdict(verdict);
      process.stdout.write(`${said}\n`);
      if (!verdict.fit) process.exitCode = 1;
    });
}

/** @returns the address, and what its scheme says of TLS; undefined: it has none */
function addressOf(text: string): { address: string; scheme: boolean | undefined } {
  if (looksFollowed(text)) {
    throw new CliError(`'${text}' stands for several servers`, 'check each of them by its own HOST:PORT', 2);
  }
  // A host may not be called so, though it parses.
  const { text: place, tls: scheme } = withoutScheme(text);
  const address = text.includes('=') ? null : parseNodeAddress(place);
  if (address === null) {
    const hint = 'expected HOST:PORT, rediss://HOST:PORT or unix:/PATH, without a name';
    throw new CliError(`'${withoutLogin(text)}' is not an address`, hint, 2);
  }
  return { address: formatAddress(address), scheme };
}

function loginOf(options: CheckOptions): { username: string; password: string } {
  const { username = process.env[USERNAME_VARIABLE] ?? '', passwordFile } = options;
  const password = passwordFile === undefined ? (process.env[PASSWORD_VARIABLE] ?? '') : readPassword(passwordFile);
  // Nodes are greeted without a login then, and it would be another user that is looked at.
  if (username !== '' && password === '') {
    throw new CliError(
      `the user ${username} has no password`,
      `give it with --password-file or ${PASSWORD_VARIABLE}`,
      2,
    );
  }
  return { username, password };
}

function databasesOf(text: string): number {
  const count = parseCount(text);
  if (count === null) throw new CliError(`${DATABASES_VARIABLE} is no number of databases`, 'expected 1 to 1024', 2);
  return count;
}

function countOf(text: string): number {
  const count = parseCount(text);
  if (count === null) throw new InvalidArgumentError('expected 1 to 1024.');
  return count;
}

function parseCount(text: string): number | null {
  const count = Number(text);
  return /^\d+$/.test(text) && count >= 1 && count <= 1024 ? count : null;
}

function timeOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === null || milliseconds < 1 || milliseconds > 3_600_000) {
    throw new InvalidArgumentError('expected a time such as 500ms or 5s, up to 1h.');
  }
  return milliseconds;
}
