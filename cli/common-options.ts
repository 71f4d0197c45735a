import { type Command, Option } from 'commander';
import { DEFAULT_ADMIN } from '../src/client/admin-url.js';
import { findAuthority } from './authority.js';
import { ownName } from './own-name.js';
import { findToken } from './token.js';

/** What every command that talks to the admin API takes. */
export interface CommonOptions {
  readonly admin: string;
  readonly token?: string;
  /** Certificates (PEM), as `--ca` names their file. */
  readonly ca?: string;
  readonly json?: boolean;
  /** Who runs it, as the proxy is told. */
  readonly client?: string;
}

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--admin <url>', 'URL of the admin API').env('RINGPROXY_ADMIN').default(DEFAULT_ADMIN))
    .option('--token <token>', 'token of the admin API (env: RINGPROXY_TOKEN or, as of serve, RINGPROXY_ADMIN_TOKEN)')
    .option('--token-file <file>', 'file with that token (env, as of serve: RINGPROXY_ADMIN_TOKEN_FILE)')
    .option('--ca <file>', 'certificates (PEM) of the authority that signs that of an https:// URL (env: RINGPROXY_CA)')
    .option('--json', 'print JSON')
    .hook('preAction', (_this, called) => {
      called.setOptionValue('token', findToken(called.opts(), process.env));
      called.setOptionValue('ca', findAuthority(called.opts(), process.env));
      called.setOptionValue('client', ownName());
    });
}
