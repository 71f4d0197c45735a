import { type Command, Option } from 'commander';

/** What every command that talks to the admin API takes. */
export interface CommonOptions {
  readonly admin: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** Where a proxy serves its admin API unless it is told otherwise. */
export const DEFAULT_ADMIN = 'http://127.0.0.1:6390';

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--admin <url>', 'URL of the admin API').env('RINGPROXY_ADMIN').default(DEFAULT_ADMIN))
    .addOption(new Option('--token <token>', 'token of the admin API').env('RINGPROXY_TOKEN'))
    .option('--json', 'print JSON');
}
