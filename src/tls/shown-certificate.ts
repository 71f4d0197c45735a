/** The certificate that who connects here shows, where it is asked for one and refused by whoever serves, not by TLS. */
import type { TLSSocket } from 'node:tls';

export function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate()).length > 0;
}

/** The common name of a certificate that was asked for and checked; null: there is none. */
export function certificateName(socket: TLSSocket): string | null {
  if (!socket.authorized || !hasCertificate(socket)) return null;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  // One with several has none.
  return typeof name === 'string' && name !== '' ? name : null;
}

/** @param authorities the setting that names them @returns what is wrong with a certificate that was not accepted */
export function whyRefused({ authorizationError }: TLSSocket, authorities: string): string {
  // A text, against its type.
  const error = String(authorizationError);
  return REASONS[error]?.replace('@', authorities) ?? `is not accepted (${error})`;
}

const UNKNOWN = 'is not signed by an authority of @';
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself, and not by an authority of @',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN,
  INVALID_PURPOSE: 'is not one for clients (clientAuth)',
};
