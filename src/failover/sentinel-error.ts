/** What is wrong with a Sentinel that does not answer: as of a node, but for TLS, of which it has settings of its own. */
import { describeNodeError } from '../node/client.js';
import { type FailureKind, NodeFailure } from '../node/failure.js';

const BY_TLS: Partial<Record<FailureKind, string>> = {
  untrusted:
    'it shows a certificate that no authority known here has signed: set sentinel-tls-ca to the file of the authority',
  expired: 'it shows a certificate that is not valid now: give the Sentinel another one, or set the clocks',
  'wrong-name': 'it shows a certificate of another name: set sentinel-tls-server-name to one that it bears',
  'client-certificate':
    'it does not let this proxy in without a certificate that it trusts: set sentinel-tls-cert and sentinel-tls-key',
  'no-tls': 'it does not speak TLS: turn sentinel-tls off',
  'tls-only': 'it speaks TLS only: turn sentinel-tls on',
};

/** @param error what asking it has thrown */
export function describeSentinelError(error: unknown): string {
  return (error instanceof NodeFailure ? BY_TLS[error.failure.kind] : undefined) ?? describeNodeError(error);
}
