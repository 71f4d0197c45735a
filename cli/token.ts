/** The token of the admin API, which `serve` and the commands that ask it find in the same places. */
import { tokensIn } from '../src/config/admin-tokens.js';
import { CliError } from './cli-error.js';
import { readNamedFile } from './named-file.js';

const HINT = 'name a file that holds it and nothing else';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a command line says of it. */
interface Flags {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/**
 * A flag beats the environment. There RINGPROXY_TOKEN is of these commands alone, for whoever asks another proxy than
 * the one that is started with the same environment; the others are the settings `admin-token` and `admin-token-file`.
 * @returns undefined: there is none
 * @throws CliError when a file is named that cannot be read, or has none
 */
export function findToken(flags: Flags, env: Environment): string | undefined {
  const { RINGPROXY_TOKEN, RINGPROXY_ADMIN_TOKEN, RINGPROXY_ADMIN_TOKEN_FILE } = env;
  if (flags.token !== undefined) return flags.token;
  if (flags.tokenFile !== undefined) return firstToken(flags.tokenFile);
  const token = RINGPROXY_TOKEN || RINGPROXY_ADMIN_TOKEN;
  if (token) return token;
  return RINGPROXY_ADMIN_TOKEN_FILE ? firstToken(RINGPROXY_ADMIN_TOKEN_FILE) : undefined;
}

function firstToken(file: string): string {
  const [first] = tokensIn(readNamedFile(file, 'the token', HINT).toString(), file);
  if (first === undefined) throw new CliError(`${file} has no token`, HINT, 2);
  return first.token;
}
