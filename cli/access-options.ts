/** How the proxy, and the other nodes, reach a node that is to join, where that differs from the others. */
import type { Command } from 'commander';
import type { NodeInput } from '../src/admin/api.js';
import { parsePeerAddress, withoutLogin, withoutScheme } from '../src/node/address.js';
import { CliError } from './cli-error.js';
import { readNamedFile, STANDARD_INPUT } from './named-file.js';

export interface AccessOptions {
  readonly username?: string;
  readonly passwordFile?: string;
  readonly peerAddress?: string;
  readonly tlsServerName?: string;
}

/** A password on the command line would be seen by whoever lists the machine's processes. */
const PASSWORD_VARIABLE = 'RINGPROXY_ADD_PASSWORD';

export function withAccessOptions(command: Command): Command {
  return command
    .option('--username <user>', 'its user for the proxy, if not that of the other nodes')
    .option(
      '--password-file <file>',
      `file with its password, if not that of the other nodes; -: standard input (env: ${PASSWORD_VARIABLE})`,
    )
    .option('--peer-address <host:port>', 'where the other nodes find it, if not under its address')
    .option('--tls-server-name <name>', 'name that its certificate bears, if not the host of its address');
}

/**
 * The nodes with what the options say of them.
 * @throws CliError when the password cannot be read, or the peer address is none, or cannot be that of several nodes
 */
export function withAccess<Node extends { readonly address: string }>(
  nodes: readonly Node[],
  options: AccessOptions,
): (Node & Pick<NodeInput, 'username' | 'password' | 'peerAddress' | 'tlsServerName'>)[] {
  const { username, peerAddress, tlsServerName } = options;
  if (peerAddress !== undefined) {
    if (nodes.length > 1) {
      throw new CliError('--peer-address is of one node', 'add the nodes one after the other, or with ring apply', 2);
    }
    if (parsePeerAddress(withoutScheme(peerAddress).text) === null) {
      throw new CliError(
        `'${withoutLogin(peerAddress)}' is not an address of a node for others`,
        'expected HOST:PORT',
        2,
      );
    }
  }
  const { passwordFile } = options;
  const password = passwordFile === undefined ? process.env[PASSWORD_VARIABLE] : readPassword(passwordFile);
  return nodes.map((node) => ({ ...node, username, password, peerAddress, tlsServerName }));
}

/** @param file `-`: standard input @throws CliError when it cannot be read */
export function readPassword(file: string): string {
  const source = file === '-' ? STANDARD_INPUT : file;
  const bytes = readNamedFile(source, 'the password', 'name a file that holds it and nothing else');
  return bytes.toString().replace(/\r?\n$/, '');
}
