/** The handshake of a lane, and what becomes of the lane by the node's answers. */
import type { Login } from '../../node/endpoint.js';
import { type Failure, predicateOf, shortened } from '../../node/failure.js';
import { type Greeted, Handshake, type HandshakeOptions } from '../../node/handshake.js';
import type { LaneKind } from './lane-kind.js';
import type { LateConnections } from './late-connections.js';

/** What the node's answers to the handshake come to. */
export type GreetingOutcome =
  | 'more'
  | 'done'
  /**
   * `refused`: the node is well and does not want this connection; `turned-away`: it is well and has enough of them;
   * `greeting`: it cannot be used.
   */
  | { readonly reason: 'refused' | 'turned-away' | 'greeting'; readonly why: string };

const MUTE = ' before it answered anything: if it speaks TLS only, see node-tls';
const MUTE_BY_TLS = ' before it answered anything: if it wants a certificate of this proxy, see node-tls-cert';

export interface GreetingOptions {
  readonly login: Login;
  /** Name of the connection at the node. */
  readonly connectionName: string;
  /** The node may have had enough of such connections, which does not make it unusable. */
  readonly isOneOfMany: boolean;
  /** Others have logged in and serve: while a password is changed, one that is refused does not make the node unusable. */
  readonly othersServe: boolean;
  /** Whether it must be known which process of the node answers. */
  readonly asksRunId: boolean;
  /** Connections that the node is to drop before this one carries commands. */
  readonly late: LateConnections;
  /** What it must not deny to be. */
  readonly role: HandshakeOptions['role'];
}

export class Greeting {
  readonly #handshake: Handshake;
  readonly #isOneOfMany: boolean;
  readonly #othersServe: boolean;

  constructor(kind: LaneKind, options: GreetingOptions) {
    const { login, connectionName, asksRunId, late, role } = options;
    this.#isOneOfMany = options.isOneOfMany;
    this.#othersServe = options.othersServe;
    this.#handshake = new Handshake({
      ...kind,
      login,
      connectionName,
      asks: asksRunId ? ['id', 'process', 'peer'] : ['id', 'peer'],
      last: late.inFront().map(({ id, words }) => ({ words, done: () => late.forget(id) })),
      tolerates: 'any error',
      role,
    });
  }

  /** What the node is sent. */
  get bytes(): Buffer {
    return this.#handshake.bytes;
  }

  get greeted(): Readonly<Greeted> {
    return this.#handshake.greeted;
  }

  /** The node's last answer against a courtesy, or empty. */
  get objection(): string {
    return this.#handshake.complaint;
  }

  /** What the node has said against a courtesy: when it closes the connection then, it says why. */
  get complaint(): string {
    const { complaint } = this.#handshake;
    return complaint === '' ? '' : `: ${shortened(complaint)}`;
  }

  /** @param isTls whether it was spoken to by TLS @returns why it may have hung up without an answer, or nothing */
  guess(isTls: boolean): string {
    if (this.#handshake.hasAnswer) return '';
    return isTls ? MUTE_BY_TLS : MUTE;
  }

  /** Takes the node's next answer, `buffer[start, end)`. */
  onReply(buffer: Buffer, start: number, end: number): GreetingOutcome {
    const outcome = this.#handshake.onReply(buffer, start, end);
    return typeof outcome === 'string' ? outcome : { reason: this.#reasonOf(outcome), why: predicateOf(outcome) };
  }

  #reasonOf({ kind }: Failure): 'refused' | 'turned-away' | 'greeting' {
    // The node only has fewer databases than the proxy offers.
    if (kind === 'database') return 'refused';
    if (kind === 'auth' && this.#othersServe) return 'turned-away';
    return kind === 'turned-away' && this.#isOneOfMany ? 'turned-away' : 'greeting';
  }
}
