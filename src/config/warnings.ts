/** What works of a configuration, and may not be what was meant: a sentence each. */
import { commandWarnings } from './command-warnings.js';
import { strangeVariables } from './environment.js';
import type { Config } from './settings.js';
import { tlsWarnings } from './tls-warnings.js';

/** @param env the environment that it was read with */
export function configWarnings(config: Config, env: Readonly<Record<string, string | undefined>>): string[] {
  return [...tlsWarnings(config), ...commandWarnings(config), ...strangeVariables(env)];
}
