import { type Command, Option } from 'commander';
import { DEFAULT_ADMIN } from '../src/client/admin-url.js';
import { findAuthority } from './authority.js';
import { findCertificate } from './own-certificate.js';
import { ownName } from './own-name.js';
import { findToken } from './token.js';

/** What every command that talks to the admin API takes. */
export interface CommonOptions {
  readonly admin: string;
  readonly token?: string;
  /** Certificates (PEM), as `--ca` names their file. */
  readonly ca?: string;
  /** PEM, as `--cert` and `--key` name their files. */
  readonly cert?: string;
  readonly key?: string;
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
    .option(
      '--cert <file>',
      'certificate (PEM) that is shown where admin-tls-client-auth asks for one (env: RINGPROXY_CERT)',
    )
    .option('--key <file>', 'its private key (PEM), without a passphrase (env: RINGPROXY_KEY)')
    .option('--json', 'print JSON')
    .hook('preAction', (_this, called) => {
      called.setOptionValue('token', findToken(called.opts(), process.env));
      called.setOptionValue('ca', findAuthority(called.opts(), process.env));
      const { cert, key } = findCertificate(called.opts(), process.env);
      called.setOptionValue('cert', cert);
      called.setOptionValue('key', key);
      called.setOptionValue('client', ownName());
    });
}
