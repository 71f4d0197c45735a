/** The authority by which the admin API's certificate is checked. */
import { CliError } from './cli-error.js';
import { readNamedFile } from './named-file.js';

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
  const text = readNamedFile(file, "the authority's certificate", hint).toString();
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new CliError(`${file} holds no certificate`, hint, 2);
  return text;
}
