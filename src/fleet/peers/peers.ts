/** What proxies of a ring ask each other: the port for those who ask. */
import { isErrorCode, RingproxyError } from '../../errors.js';

export interface Peers {
  /**
   * Asks a member. Never throws: that there is no answer is one.
   * @param member its id
   * @param path what is asked, such as `moves/settle`
   * @param body bytes go as they are, everything else as JSON
   * @param timeoutMs for all of it, the waiting for a free connection included; at most 110 s
   */
  ask(member: string, path: string, body: object, timeoutMs: number): Promise<PeerAnswer>;
}

export type PeerAnswer =
  /** Bytes where it has answered with bytes (a Buffer); otherwise what was JSON, of whatever form. */
  { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly failure: PeerFailure };

export type PeerFailureKind =
  /** There is no such member. */
  | 'unknown member'
  /** It has told no address of its admin API. */
  | 'no address'
  /** No connection to it: it has not got the question. */
  | 'unreachable'
  /** Too much waits for it already: it has not got the question. */
  | 'busy'
  /** The connection was lost: it may have got the question, and have done what it says. */
  | 'lost'
  /** Not in time: as `lost`. */
  | 'timed out'
  /** It does not take the peer-token. */
  | 'refused'
  /** Another proxy has its address by now, or it has another id. */
  | 'other proxy'
  /** It speaks another version of the protocol. */
  | 'other version'
  /** The question, or its answer, is larger than may be: as `lost`. */
  | 'too large'
  /** What answers there is no proxy of this ring. */
  | 'no proxy'
  /** It has answered with an error of its own, which has a code and a hint. */
  | 'own error';

export interface PeerFailure {
  readonly kind: PeerFailureKind;
  readonly member: string;
  /** For people: what happened, with the proxy and its address. */
  readonly message: string;
  /** What it has answered, where it was an error. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

/** Whether the member certainly has not got the question, so that asking it again, or another one, repeats nothing. */
export function neverArrived({ kind }: PeerFailure): boolean {
  return ARRIVED[kind] === 'no';
}

/** @returns the failure as operators are told it: the member's own error where it has answered one */
export function peerError({ kind, message, error }: PeerFailure): RingproxyError {
  switch (kind) {
    case 'unknown member':
      return new RingproxyError('UNKNOWN_PROXY', message);
    case 'refused':
      return new RingproxyError('PEER_TOKEN', message);
    case 'other proxy':
      return new RingproxyError('PEER_OTHER', message);
    case 'other version':
      return new RingproxyError('PEER_VERSION', message);
    case 'no address':
    case 'unreachable':
    case 'busy':
    case 'lost':
    case 'timed out':
    case 'no proxy':
      return new RingproxyError('PEER_UNREACHABLE', message);
    case 'too large':
    case 'own error':
      if (error === null) return new RingproxyError('PEER_FAILED', message);
      if (isErrorCode(error.code)) return new RingproxyError(error.code, error.message, error.hint);
      // A newer version may have errors that this one does not know.
      return new RingproxyError('PEER_FAILED', `${message} (${error.code})`, error.hint);
  }
}

const ARRIVED: Readonly<Record<PeerFailureKind, 'no' | 'perhaps'>> = {
  'unknown member': 'no',
  'no address': 'no',
  unreachable: 'no',
  busy: 'no',
  lost: 'perhaps',
  'timed out': 'perhaps',
  refused: 'no',
  'other proxy': 'no',
  'other version': 'no',
  'too large': 'perhaps',
  'no proxy': 'no',
  'own error': 'perhaps',
};
