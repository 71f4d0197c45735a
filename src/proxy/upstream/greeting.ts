import { request as encodeRequest } from '../../resp/encode.js';
import { parseIntegerLine } from '../../resp/reply-framer.js';
import { readRunId } from '../../resp/run-id.js';
import { buildHandshake, type HandshakeIdentity, type LaneKind } from './lane-handshake.js';
import type { LateConnections } from './late-connections.js';

const ERROR_BYTE = 0x2d;
const CLIENT_INFO = Buffer.from(encodeRequest(['CLIENT', 'INFO']));

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
  /** The run id of the node's process; empty when it was not asked, or does not say. */
  runId = '';
  /** The proxy's end of the connection as the node sees it, or empty. */
  peer = '';
  readonly #late: LateConnections;
  /** Which connections the last steps drop. */
  readonly #dropped: readonly number[];
  readonly #steps: readonly string[];
  readonly #isOneOfMany: boolean;
  #answered = 0;
  #complaint = '';

  /**
   * @param isOneOfMany the node may have had enough of such connections, which does not make it unusable
   * @param asksRunId whether it must be known which process of the node answers
   * @param late connections that the node is to drop before this one carries commands
   */
  constructor(
    kind: LaneKind,
    identity: HandshakeIdentity,
    { isOneOfMany, asksRunId, late }: { isOneOfMany: boolean; asksRunId: boolean; late: LateConnections },
  ) {
    const { bytes, steps } = buildHandshake(kind, identity, asksRunId);
    const drops = late.inFront();
    this.bytes = Buffer.concat([bytes, CLIENT_INFO, ...drops.map(({ frame }) => frame)]);
    this.#late = late;
    this.#dropped = drops.map(({ id }) => id);
    this.#steps = [...steps, 'CLIENT INFO', ...drops.map(({ id }) => `CLIENT KILL ID ${id}`)];
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
      const isCourtesy = step.startsWith('CLIENT') || step === 'INFO';
      if (!isCourtesy || text.startsWith('NOAUTH')) {
        return { reason: 'greeting', why: `refused ${step}: ${text}` };
      }
      this.#complaint = text;
    } else if (step === 'CLIENT ID') {
      this.connectionId = parseIntegerLine(buffer, start, end);
    } else if (step === 'INFO') {
      this.runId = readRunId(buffer.toString('latin1', start, end));
    } else if (step === 'CLIENT INFO') {
      this.peer = / addr=(\S+)/.exec(buffer.toString('latin1', start, end))?.[1] ?? '';
    } else if (step.startsWith('CLIENT KILL')) {
      this.#late.forget(this.#dropped[this.#answered - this.#steps.length + this.#dropped.length] as number);
    }
    this.#answered++;
    return this.#answered === this.#steps.length ? 'done' : 'more';
  }
}
