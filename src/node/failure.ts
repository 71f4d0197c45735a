/**
 * What may go wrong with a connection to a node: a closed set of kinds, by which everybody decides, and the one place
 * that words them. Nobody reads the words but people.
 */
import type { NodeIdentity } from './identity.js';
import { tlsFailure } from './tls-failure.js';

export type FailureKind =
  /** Nobody listens at the address. */
  | 'refused'
  /** There is no such Unix socket: nobody listens there either. */
  | 'no-socket'
  /** The name does not resolve. */
  | 'not-found'
  /** It is not known which of the node's servers is master. */
  | 'no-master'
  /** The server is a replica, and the node's master is another one. */
  | 'not-master'
  | 'not-replica'
  /** The network, or this machine, does not let the connection come about. */
  | 'unreachable'
  /** The connection was cut, not ended. */
  | 'cut'
  /** The node, or whatever stands between, has ended the connection. */
  | 'closed'
  /** No answer in time. */
  | 'timeout'
  /** The node wants a login, or another one. */
  | 'auth'
  /** The node is well and has enough of connections, or wants none from here. */
  | 'turned-away'
  /** The node has no such database. */
  | 'database'
  /** The node answers that it runs a script, or loads its data: it will do otherwise in a while, by itself. */
  | 'busy'
  /** The node does not do what a connection needs. */
  | 'greeting'
  /** It is not Redis that answers. */
  | 'protocol'
  /** A reply that belongs to nothing. */
  | 'unasked'
  /** By TLS: no authority that is known here has signed the node's certificate. */
  | 'untrusted'
  /** Its certificate has expired, or is not valid yet. */
  | 'expired'
  /** Its certificate is another host's. */
  | 'wrong-name'
  /** It wants to see a certificate, or another one. */
  | 'client-certificate'
  /** It was spoken to by TLS, and does not speak it. */
  | 'no-tls'
  /** It speaks nothing but TLS, and was spoken to without. */
  | 'tls-only'
  /** TLS did not come about otherwise: no version or cipher in common. */
  | 'tls'
  /** The node does not let the connection bear this proxy's name. */
  | 'unnamed'
  /** Another process answers than the one that may: what it has may be of the past. */
  | 'restarted'
  /** The node does not say which process it is. */
  | 'no-run-id'
  /** It cannot be told now whether this proxy still belongs to its fleet. */
  | 'unsure'
  /** This proxy belongs to its fleet no more, by the name that the connection bears. */
  | 'fenced-off'
  /** This side does not need the connection any more. */
  | 'done';

export interface Failure {
  readonly kind: FailureKind;
  /** What was asked of the node, such as `SELECT 9`, where it has refused that; otherwise empty. */
  readonly step: string;
  /** What the node or the system has said, or how long it was waited; empty where the kind says it all. */
  readonly detail: string;
}

export function failure(kind: FailureKind, detail = '', step = ''): Failure {
  return { kind, step, detail };
}

/** The other side has ended the connection, or whatever stands between. */
export function hungUp({ kind }: Failure): boolean {
  return kind === 'closed' || kind === 'cut';
}

/** @param milliseconds that were waited */
export function timedOut(milliseconds: number): Failure {
  return failure('timeout', `${milliseconds} ms`);
}

const KIND_OF_CODE: ReadonlyMap<string, FailureKind> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENOENT', 'no-socket'],
  ['ENOTFOUND', 'not-found'],
  ['EAI_AGAIN', 'not-found'],
  ['ECONNRESET', 'cut'],
  ['EPIPE', 'cut'],
]);

/** What an error event of a socket means. */
export function systemFailure(error: NodeJS.ErrnoException): Failure {
  const ofTls = tlsFailure(error);
  if (ofTls !== null) return ofTls;
  const kind = KIND_OF_CODE.get(error.code ?? '') ?? 'unreachable';
  return failure(kind, kind === 'unreachable' ? error.message : '');
}

/** Whether what has failed works again by itself: surely, perhaps (a network, a restart), or not before a person mends it. */
export type Outlook = 'passes' | 'may pass' | 'stays';

const OUTLOOKS: Readonly<Record<FailureKind, Outlook>> = {
  refused: 'may pass',
  'no-socket': 'may pass',
  'not-found': 'may pass',
  'no-master': 'may pass',
  'not-master': 'may pass',
  'not-replica': 'may pass',
  unreachable: 'may pass',
  cut: 'may pass',
  closed: 'may pass',
  timeout: 'may pass',
  auth: 'stays',
  'turned-away': 'may pass',
  database: 'stays',
  busy: 'passes',
  greeting: 'stays',
  protocol: 'stays',
  unasked: 'stays',
  untrusted: 'stays',
  expired: 'stays',
  'wrong-name': 'stays',
  'client-certificate': 'stays',
  'no-tls': 'stays',
  'tls-only': 'stays',
  tls: 'stays',
  unnamed: 'stays',
  restarted: 'may pass',
  'no-run-id': 'may pass',
  unsure: 'passes',
  'fenced-off': 'passes',
  done: 'may pass',
};

/** As a predicate of the node. */
export const RESTARTED =
  'was restarted, or another server is at its address: what it has may be of the past, so it serves again once it is emptied';

interface Words {
  /** What the node did; its name stands in front. */
  readonly predicate: (failure: Failure) => string;
  /** The same where it is told of a node that was named before; without: `it`, and the predicate. */
  readonly sentence?: (failure: Failure) => string;
}

const refusedStep = ({ step, detail }: Failure): string => `refused ${step}: ${detail}`;
const said = ({ detail }: Failure): string => shortened(detail);
const lastWords = ({ detail }: Failure): string => (detail === '' ? '' : `: ${shortened(detail)}`);

const WORDS: Readonly<Record<FailureKind, Words>> = {
  refused: { predicate: () => 'refused the connection' },
  'no-socket': { predicate: () => 'cannot be reached: the socket does not exist' },
  'not-found': {
    predicate: () => 'cannot be found: its name does not resolve',
    sentence: () => 'its name does not resolve',
  },
  'no-master': { predicate: ({ detail }) => detail },
  'not-master': { predicate: () => 'is a replica at the address where its master should be' },
  'not-replica': { predicate: () => 'is a master at the address where a replica should be' },
  unreachable: { predicate: ({ detail }) => `cannot be reached: ${detail}`, sentence: said },
  cut: { predicate: (failure) => `cut the connection${lastWords(failure)}` },
  closed: { predicate: (failure) => `closed the connection${lastWords(failure)}` },
  timeout: {
    predicate: ({ detail }) => `did not answer within ${detail}`,
    sentence: () => 'it did not answer in time',
  },
  auth: { predicate: refusedStep, sentence: said },
  'turned-away': { predicate: (failure) => `refused the connection: ${said(failure)}`, sentence: said },
  database: { predicate: refusedStep, sentence: said },
  busy: { predicate: refusedStep, sentence: said },
  greeting: { predicate: refusedStep, sentence: said },
  protocol: {
    predicate: () => 'sent something that is not the Redis protocol',
    sentence: () => 'it does not speak the Redis protocol',
  },
  unasked: { predicate: (failure) => `sent a reply that nothing asked for${lastWords(failure)}` },
  untrusted: {
    predicate: ({ detail }) =>
      `shows a certificate that no authority known here has signed (${detail}): set node-tls-ca to the file of the authority's`,
  },
  expired: {
    predicate: ({ detail }) =>
      `shows a certificate that is not valid now (${detail}): give the node another one, or set the clocks`,
  },
  'wrong-name': {
    predicate: ({ detail }) =>
      `shows a certificate of another name (${shortened(detail)}): set node-tls-server-name, or tls-server-name of the node, to one that it bears`,
  },
  'client-certificate': {
    predicate: ({ detail }) =>
      `does not let this proxy in without a certificate that it trusts (${detail}): set node-tls-cert and node-tls-key`,
  },
  'no-tls': {
    predicate: () =>
      'does not speak TLS: turn node-tls off, or write its address with redis:// in front (tls: off of the node)',
  },
  'tls-only': {
    predicate: () =>
      'speaks TLS only: turn node-tls on, or write its address with rediss:// in front (tls: on of the node)',
  },
  tls: { predicate: ({ detail }) => `cannot be spoken to by TLS: ${shortened(detail)}` },
  unnamed: {
    predicate: () =>
      'refused CLIENT SETNAME, without which a fleet cannot use it: give its user the right client|setname',
  },
  restarted: { predicate: () => RESTARTED },
  'no-run-id': {
    predicate: (failure) =>
      `does not say which process it is, so it may have been restarted${lastWords(failure)}: give its user the right info`,
  },
  unsure: {
    predicate: () =>
      'is not spoken to yet: the store of the ring (etcd) does not answer, so it cannot be told whether this proxy still belongs to the fleet; try again',
    sentence: () =>
      'it cannot be told whether this proxy still belongs to the fleet, since the store (etcd) does not answer',
  },
  'fenced-off': {
    predicate: () => 'is not spoken to by this connection: the fleet has passed this proxy over; try again',
    sentence: () => 'the fleet has passed this proxy over',
  },
  done: { predicate: () => 'is not needed any more' },
};

/** What the node did, without its name: `refused the connection`. */
export function predicateOf(failure: Failure): string {
  return WORDS[failure.kind].predicate(failure);
}

/** The same of a node that was named before: `it refused the connection`. */
export function sentenceOf(failure: Failure): string {
  const { sentence } = WORDS[failure.kind];
  return sentence === undefined ? `it ${predicateOf(failure)}` : sentence(failure);
}

const MOST_TEXT = 200;

/** The first sentence of what a node says, since `DENIED` has a page of them. */
export function shortened(text: string): string {
  return (/^(.*?)\.\s/.exec(text)?.[1] ?? text).slice(0, MOST_TEXT);
}

/** A connection to a node could not be made, or has failed: what becomes of commands without a reply is unknown. */
export class NodeFailure extends Error {
  readonly node: NodeIdentity;
  readonly failure: Failure;

  /** @param message for people, where it is to be another one */
  constructor(node: NodeIdentity, failure: Failure, message?: string) {
    super(message ?? `node ${node.name} (${node.address}) ${predicateOf(failure)}`);
    this.name = 'NodeFailure';
    // Whatever else it carries, such as a password, is nobody's business.
    this.node = { name: node.name, address: node.address };
    this.failure = failure;
  }

  get kind(): FailureKind {
    return this.failure.kind;
  }

  /** No process listens there, so none runs what was sent there before. */
  get nobodyListens(): boolean {
    return this.kind === 'refused' || this.kind === 'no-socket';
  }

  get outlook(): Outlook {
    return OUTLOOKS[this.kind];
  }
}

/**
 * Work at a node of which nothing is left to do where no process listens there: it has no connections, and runs nothing.
 * @throws what the work throws otherwise
 */
export async function unlessNobodyListens(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof NodeFailure && error.nobodyListens)) throw error;
  }
}
