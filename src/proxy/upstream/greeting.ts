import { parseIntegerLine } from '../../resp/reply-framer.js';
import { readRunId } from '../../resp/run-id.js';
import { buildHandshake, type HandshakeIdentity, type LaneKind } from './lane-handshake.js';

const ERROR_BYTE = 0x2d;

/** What the node's answers to the handshake come to. */
export type GreetingOutcome =
  | 'more'
  | 'done'
  /** `refused`: the node is well and does not want this connection; `greeting`: it cannot be used. */
  | { readonly reason: 'refused' | 'greeting'; readonly why: string };

/** The handshake of one connection to a node. */
export class Greeting {
  /** What the node is sent. */
  readonly bytes: Buffer;
  /** The node's number of the connection (CLIENT ID), or -1. */
  connectionId = -1;
  /** The run id of the node's process; empty when it was not asked, or does not say. */
  runId = '';
  readonly #steps: readonly string[];
  readonly #isOneOfMany: boolean;
  #answered = 0;

  /**
   * @param isOneOfMany the node may have had enough of such connections, which does not make it unusable
   * @param asksRunId whether it must be known which process of the node answers
   */
  constructor(kind: LaneKind, identity: HandshakeIdentity, isOneOfMany: boolean, asksRunId: boolean) {
    const { bytes, steps } = buildHandshake(kind, identity, asksRunId);
    this.bytes = bytes;
    this.#steps = steps;
    this.#isOneOfMany = isOneOfMany;
  }

  /** Takes the node's next answer, `buffer[start, end)`. */
  onReply(buffer: Buffer, start: number, end: number): GreetingOutcome {
    const step = this.#steps[this.#answered] ?? '';
    if (buffer[start] === ERROR_BYTE) {
      const text = buffer.toString('latin1', start + 1, end - 2);
      if (this.#isOneOfMany && text.includes('max number of clients')) {
        return { reason: 'refused', why: `refused the connection: ${text}` };
      }
      // The node only has fewer databases than the proxy offers.
      if (step.startsWith('SELECT')) return { reason: 'refused', why: `refused ${step}: ${text}` };
      // A Redis without these subcommands may refuse what is a courtesy.
      const isCourtesy = step.startsWith('CLIENT') || step === 'INFO';
      if (!isCourtesy || text.startsWith('NOAUTH')) {
        return { reason: 'greeting', why: `refused ${step}: ${text}` };
      }
    } else if (step === 'CLIENT ID') {
      this.connectionId = parseIntegerLine(buffer, start, end);
    } else if (step === 'INFO') {
      this.runId = readRunId(buffer.toString('latin1', start, end));
    }
    this.#answered++;
    return this.#answered === this.#steps.length ? 'done' : 'more';
  }
}
