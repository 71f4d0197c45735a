/** Tells what becomes of a node: that it is up or down, and what is wrong with one that is up. */
import {
  type NodeConnectionEvent,
  type NodeTroubleEvent,
  nodeDown,
  nodeImpaired,
  nodeRecovered,
  nodeUp,
} from '../events.js';

export class NodeReports {
  readonly #node: string;
  readonly #address: string;
  /** Nobody is told of a replica by itself. */
  readonly #isTold: boolean;
  #trouble = '';
  #silence = '';

  constructor(node: string, address: string, isTold: boolean) {
    this.#node = node;
    this.#address = address;
    this.#isTold = isTold;
  }

  up(): void {
    this.#connection(nodeUp, '');
  }

  down(why: string): void {
    this.#connection(nodeDown, why);
  }

  /** @param reason what its error replies say of it; empty: nothing any more */
  trouble(reason: string): void {
    this.#tell(reason, this.#silence);
  }

  /** @param reason why it counts as one that answers nothing; empty: it answers */
  silence(reason: string): void {
    this.#tell(this.#trouble, reason);
  }

  /** One thing at a time: of a node that answers nothing nothing else is news. */
  #tell(trouble: string, silence: string): void {
    const before = this.#silence || this.#trouble;
    this.#trouble = trouble;
    this.#silence = silence;
    const reason = silence || trouble;
    const target = reason === '' ? nodeRecovered : nodeImpaired;
    if (reason === before || !this.#isTold || !target.hasSubscribers) return;
    const event: NodeTroubleEvent = {
      node: this.#node,
      address: this.#address,
      reason,
      answersNothing: silence !== '',
    };
    target.publish(event);
  }

  #connection(target: typeof nodeUp, error: string): void {
    if (!this.#isTold || !target.hasSubscribers) return;
    const event: NodeConnectionEvent = { node: this.#node, address: this.#address, error };
    target.publish(event);
  }
}
