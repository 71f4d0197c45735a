/** The authority by which the admin API's certificate is checked. */
import { readFileSync } from 'node:fs';
import { messageOf } from '../src/errors.js';
import { CliError } from './cli-error.js';

/**
 * A flag beats the environment.
 * @returns the certificates (PEM); undefined: those of the system count
 * @throws CliError when a file is named that cannot be read, or holds none
 */
export function findAuthority(
  flags: { readonly ca?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const file = flags.ca ?? (env.RINGPROXY_CA || undefined);
  if (file === undefined) return undefined;
  const hint = 'name a file with certificates in PEM, of the authority that has signed that of the proxy';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = messageOf(error);
    throw new CliError(`the authority's certificate cannot be read: ${why}`, hint, 2);
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new CliError(`${file} holds no certificate`, hint, 2);
  return text;
}
