import { parseIntegerLine } from '../../resp/reply-framer.js';
import { buildHandshake, type HandshakeIdentity, type LaneKind } from './lane-handshake.js';

const ERROR_BYTE = 0x2d;

/** What the node's answers to the handshake come to. */
export type GreetingOutcome =
  | 'more'
  | 'done'
  /**
   * `refused`: the node is well and does not want this connection; `turned-away`: it is well and has enough of them;
   * `greeting`: it cannot be used.
   */
  | { readonly reason: 'refused' | 'turned-away' | 'greeting'; readonly why: string };

/** What a node says of itself to whoever connects, before it closes the connection: it answers none of the steps. */
const TURNS_AWAY = /^(?:ERR max number of clients|DENIED )/;
const MOST_TEXT = 200;

/** The first sentence, since `DENIED` has a page of them. */
export function shortened(text: string): string {
  const sentence = /^(.*?)\.\s/.exec(text)?.[1] ?? text;
  return sentence.slice(0, MOST_TEXT);
}

/** The handshake of one connection to a node. */
export class Greeting {
  /** What the node is sent. */
  readonly bytes: Buffer;
  /** The node's number of the connection (CLIENT ID), or -1. */
  connectionId = -1;
  readonly #steps: readonly string[];
  readonly #isOneOfMany: boolean;
  #answered = 0;
  #complaint = '';

  /** @param isOneOfMany the node may have had enough of such connections, which does not make it unusable */
  constructor(kind: LaneKind, identity: HandshakeIdentity, isOneOfMany: boolean) {
    const { bytes, steps } = buildHandshake(kind, identity);
    this.bytes = bytes;
    this.#steps = steps;
    this.#isOneOfMany = isOneOfMany;
  }

  /** What the node has said against a courtesy: when it closes the connection then, it says why. */
  get complaint(): string {
    return this.#complaint === '' ? '' : `: ${shortened(this.#complaint)}`;
  }

  /** Takes the node's next answer, `buffer[start, end)`. */
  onReply(buffer: Buffer, start: number, end: number): GreetingOutcome {
    const step = this.#steps[this.#answered] ?? '';
    if (buffer[start] === ERROR_BYTE) {
      const text = buffer.toString('latin1', start + 1, end - 2);
      if (TURNS_AWAY.test(text)) {
        return {
          reason: this.#isOneOfMany ? 'turned-away' : 'greeting',
          why: `refused the connection: ${shortened(text)}`,
        };
      }
      // The node only has fewer databases than the proxy offers.
      if (step.startsWith('SELECT')) return { reason: 'refused', why: `refused ${step}: ${text}` };
      // A Redis without these subcommands may refuse what is a courtesy.
      if (!step.startsWith('CLIENT') || text.startsWith('NOAUTH')) {
        return { reason: 'greeting', why: `refused ${step}: ${text}` };
      }
      this.#complaint = text;
    } else if (step === 'CLIENT ID') {
      this.connectionId = parseIntegerLine(buffer, start, end);
    }
    this.#answered++;
    return this.#answered === this.#steps.length ? 'done' : 'more';
  }
}
