/** The token of the admin API, which `serve` and the commands that ask it find in the same places. */
import { readFileSync } from 'node:fs';
import { tokensIn } from '../src/config/admin-tokens.js';
import { messageOf } from '../src/errors.js';
import { CliError } from './cli-error.js';

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
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = messageOf(error);
    throw new CliError(`the token cannot be read: ${why}`, 'name a file that holds it and nothing else', 2);
  }
  const [first] = tokensIn(text, file);
  if (first === undefined) throw new CliError(`${file} has no token`, 'name a file that holds it and nothing else', 2);
  return first.token;
}
