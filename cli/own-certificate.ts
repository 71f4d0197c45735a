/** The certificate that the command line shows the admin API, where that asks for one. */
import { createSecureContext } from 'node:tls';
import { CliError } from './cli-error.js';
import { readNamedFile } from './named-file.js';

export interface OwnCertificate {
  /** PEM; undefined: none is shown. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const HINT =
  'name a certificate in PEM and its private key, without a passphrase: --cert and --key, or RINGPROXY_CERT and RINGPROXY_KEY';

/**
 * A flag beats the environment.
 * @throws CliError when one of the two is missing, cannot be read, or does not belong to the other
 */
export function findCertificate(
  flags: { readonly cert?: string | undefined; readonly key?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): OwnCertificate {
  const certFile = flags.cert ?? (env.RINGPROXY_CERT || undefined);
  const keyFile = flags.key ?? (env.RINGPROXY_KEY || undefined);
  if (certFile === undefined && keyFile === undefined) return { cert: undefined, key: undefined };
  if (certFile === undefined) throw new CliError(`the private key ${keyFile} has no certificate`, HINT, 2);
  if (keyFile === undefined) throw new CliError(`the certificate ${certFile} has no private key`, HINT, 2);
  const cert = readNamedFile(certFile, 'the certificate', HINT).toString();
  const key = readNamedFile(keyFile, 'the private key', HINT).toString();
  if (!cert.includes('-----BEGIN CERTIFICATE-----')) throw new CliError(`${certFile} holds no certificate`, HINT, 2);
  if (!key.includes('PRIVATE KEY-----')) throw new CliError(`${keyFile} holds no private key`, HINT, 2);
  try {
    createSecureContext({ cert, key });
  } catch {
    throw new CliError(`the certificate ${certFile} cannot be used with the private key ${keyFile}`, HINT, 2);
  }
  return { cert, key };
}
