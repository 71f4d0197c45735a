/** What an error of TLS means, by its code; where a write has found it, by OpenSSL's reason. */
import type { Failure, FailureKind } from './failure.js';

interface TlsError extends NodeJS.ErrnoException {
  /** OpenSSL's words, or why a certificate does not bear a name. */
  readonly reason?: unknown;
}

const KINDS: readonly (readonly [RegExp, FailureKind])[] = [
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, 'expired'],
  [/^ERR_TLS_CERT_ALTNAME_/, 'wrong-name'],
  [/^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_)/, 'untrusted'],
  [/^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/, 'no-tls'],
  // What the node says against the certificate of this side; the names have grown with TLS' versions.
  [
    /ALERT_(?:CERTIFICATE_|UNKNOWN_CA|BAD_CERTIFICATE|NO_CERTIFICATE|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/,
    'client-certificate',
  ],
  [/^ERR_(?:SSL|OSSL|TLS)_/, 'tls'],
];

/** @returns null: the error is none of TLS */
export function tlsFailure(error: TlsError): Failure | null {
  const { code = '', reason, message } = error;
  const words = typeof reason === 'string' ? reason : '';
  const name = code === 'EPROTO' && words !== '' ? `ERR_SSL_${words.toUpperCase().replace(/\W+/g, '_')}` : code;
  const kind = KINDS.find(([pattern]) => pattern.test(name))?.[1];
  return kind === undefined ? null : { kind, step: '', detail: words === '' ? message : words };
}
