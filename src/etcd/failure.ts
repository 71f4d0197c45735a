/**
 * What can go wrong with a request to etcd: what it means, whether another endpoint may do better, what to do. etcd's codes
 * are those of gRPC, which tell too little: so this is the one file that looks at its words.
 */
import { type ErrorCode, messageOf, RingproxyError, systemCode } from '../errors.js';
import type { ErrorAnswer } from './wire.js';

/** One that failed at one endpoint. */
export interface Failure {
  readonly code: ErrorCode;
  readonly why: string;
  /**
   * - `elsewhere`: another endpoint, or this one in a moment, may answer.
   * - `token`: with a new token it may be answered.
   * - `never`: every endpoint would say the same.
   */
  readonly again: 'elsewhere' | 'token' | 'never';
  /** The request may have been carried out, or may be yet. */
  readonly mayHaveHappened: boolean;
}

/** A request that no endpoint has answered as it should. */
export class EtcdError extends RingproxyError {
  /** It may have been carried out, or may be yet: only a read tells. */
  readonly mayHaveHappened: boolean;

  constructor(code: ErrorCode, message: string, mayHaveHappened: boolean, hint?: string) {
    super(code, message, hint);
    this.mayHaveHappened = mayHaveHappened;
  }
}

/** etcd knows nothing of the lease any more: it has run out, or was taken back. */
export function isLeaseGone(error: unknown): boolean {
  return error instanceof EtcdError && error.message.includes('lease not found');
}

/** Users and passwords are for later: everybody may do everything. */
export function isLoginOff({ why }: Failure): boolean {
  return why.includes('authentication is not enabled');
}

/** Nothing of the request has left this machine. */
const NOT_SENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name server does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  UND_ERR_CONNECT_TIMEOUT: 'the connection is not accepted in time',
};

const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;

/** What OpenSSL and Node.js find wrong, in a sentence of which the endpoint is the subject; the first that fits counts. */
const BY_CERTIFICATE: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet'],
  [/^ERR_TLS_CERT_ALTNAME/, 'its certificate is one for another name'],
  [/^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/, 'its certificate is signed by no authority that is known (etcd-ca)'],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST)/, 'it does not speak TLS (http:// in etcd-endpoints)'],
  [/ALERT_CERTIFICATE_REQUIRED|ALERT_NO_CERTIFICATE/, 'it asks for a certificate of this proxy (etcd-cert, etcd-key)'],
  [/ALERT_/, 'it does not take the certificate of this proxy (etcd-cert), or its TLS'],
];

function ofCertificate(code: string, said: string): Failure {
  const words = BY_CERTIFICATE.find(([pattern]) => pattern.test(code))?.[1];
  // What OpenSSL says names its own lines; which names a certificate bears is worth telling.
  const more = code.startsWith('ERR_TLS_CERT') ? said : code;
  const why = words === undefined ? said : `${words}: ${more}`;
  return { code: 'ETCD_TLS', why, again: 'elsewhere', mayHaveHappened: false };
}

/** @param waitedMs how long it was waited for; null: not until its end */
export function ofTransport(error: unknown, waitedMs: number | null): Failure {
  if (waitedMs !== null) {
    const why = `no answer within ${waitedMs} ms`;
    return { code: 'ETCD_UNREACHABLE', why, again: 'elsewhere', mayHaveHappened: true };
  }
  const code = systemCode(error) || (error instanceof Error ? systemCode(error.cause) : '');
  const notSent = NOT_SENT[code];
  if (notSent !== undefined) {
    return { code: 'ETCD_UNREACHABLE', why: notSent, again: 'elsewhere', mayHaveHappened: false };
  }
  const said = messageOf(error);
  if (CERTIFICATE.test(code)) return ofCertificate(code, said);
  const why = code === '' || said.includes(code) ? said : `${said} (${code})`;
  return { code: 'ETCD_UNREACHABLE', why, again: 'elsewhere', mayHaveHappened: true };
}

/**
 * What the end of a connection means where TLS is spoken, and nothing has ever been answered: who does not take a
 * certificate closes the connection, and its reason is lost with it. etcd's gateway meets that as well: it is a client of
 * its own server.
 */
export function ofSilentRefusal(failure: Failure): Failure {
  if (failure.code !== 'ETCD_UNREACHABLE' || !failure.mayHaveHappened) return failure;
  const why = `it ends the connection and has never answered, as where it does not take the certificate of this proxy, or asks for one (etcd-cert, etcd-key): ${failure.why}`;
  return { ...failure, code: 'ETCD_TLS', why };
}

/** Codes of gRPC that an etcd gives before it has done anything. */
const REFUSED: ReadonlySet<number> = new Set([3, 5, 7, 8, 9, 11, 12, 16]);

interface Saying {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly again: Failure['again'];
}

/** What etcd says, from its `rpctypes`; the first that fits counts. */
const SAYINGS: readonly Saying[] = [
  // A token is known to those members of the cluster that have seen it lately, and to none after a restart.
  {
    pattern: /invalid auth token|revision of auth store is old|user name is empty/,
    code: 'ETCD_AUTH',
    again: 'token',
  },
  { pattern: /authentication failed/, code: 'ETCD_AUTH', again: 'never' },
  { pattern: /permission denied/, code: 'ETCD_PERMISSION', again: 'never' },
  { pattern: /CommonName of client sending a request against gateway/, code: 'ETCD_TLS', again: 'never' },
  { pattern: /certificate|authentication handshake failed/, code: 'ETCD_TLS', again: 'elsewhere' },
  { pattern: /database space exceeded/, code: 'ETCD_FULL', again: 'never' },
  { pattern: /request is too large|message larger than max/, code: 'ETCD_TOO_LARGE', again: 'never' },
  {
    pattern: /no leader|leader changed|not leader|request timed out|too many requests|server stopped|not capable/,
    code: 'ETCD_NO_LEADER',
    again: 'elsewhere',
  },
];

/** @param status of HTTP */
export function ofAnswer(status: number, answer: ErrorAnswer): Failure {
  const { message, code } = answer;
  const why = message.replace(/^etcdserver: /, '');
  const isRefused = (code !== null && REFUSED.has(code)) || /no leader|too many requests/.test(message);
  const mayHaveHappened = !isRefused;
  const saying = SAYINGS.find(({ pattern }) => pattern.test(message));
  if (saying !== undefined) return { code: saying.code, why, again: saying.again, mayHaveHappened };
  if (status >= 500) return { code: 'ETCD_UNREACHABLE', why, again: 'elsewhere', mayHaveHappened };
  return { code: 'ETCD_ANSWER', why, again: 'never', mayHaveHappened };
}

/**
 * Endpoints of two clusters would be two rings of one name, each with its own members. One that was made anew with other
 * members or another token counts as another one as well, and only a start of the proxy begins with it; one that was made
 * anew just as it was has the same id, and is found out by its revisions (`Follower`).
 */
export function ofOtherCluster(): Failure {
  const why =
    'it belongs to another cluster than the one this proxy began with (if etcd was made anew, restart the proxy)';
  return { code: 'ETCD_ANSWER', why, again: 'elsewhere', mayHaveHappened: true };
}

/** What came is no answer of an etcd: a page of a load balancer, half an answer, something else that listens there. */
export function ofGarbage(status: number, said: string): Failure {
  const begin = said.slice(0, 80).replaceAll(/\s+/g, ' ').trim();
  const why = `HTTP status ${status}${begin === '' ? '' : ` with '${begin}'`}, which is no answer of an etcd`;
  const again = status === 404 ? 'never' : 'elsewhere';
  return { code: status >= 500 ? 'ETCD_UNREACHABLE' : 'ETCD_ANSWER', why, again, mayHaveHappened: true };
}

/** What the operator reads first: a cluster without a leader says more than a member that is down. */
const TELLING: readonly ErrorCode[] = ['ETCD_NO_LEADER', 'ETCD_TLS', 'ETCD_ANSWER'];

/** What became of a request that was tried at these endpoints. @param failures the last one of each endpoint */
export function summary(
  operation: string,
  failures: ReadonlyMap<string, Failure>,
  mayHaveHappened: boolean,
): EtcdError {
  const all = [...failures.values()];
  const code =
    all.find(({ again }) => again !== 'elsewhere')?.code ??
    TELLING.find((candidate) => all.some((failure) => failure.code === candidate)) ??
    'ETCD_UNREACHABLE';
  const said = [...failures].map(([endpoint, { why }]) => `${endpoint}: ${why}`).join('; ');
  return new EtcdError(code, `etcd does not do what it is asked for (${operation}): ${said}`, mayHaveHappened);
}
