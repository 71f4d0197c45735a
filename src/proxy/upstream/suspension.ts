/** Whether this proxy may speak to a node at all, and what it keeps open to it beside the lanes. */

import type { NodeIdentity } from '../../node/identity.js';
import { error as encodeError } from '../../resp/encode.js';

/** A connection that is opened again whenever it has ended. */
export interface Reconnecting {
  /** Ends it, and tells whoever listens. */
  cut(): void;
}

export class Suspension {
  readonly #node: NodeIdentity;
  readonly #connections = new Set<Reconnecting>();
  #reply: Buffer | null = null;

  constructor(node: NodeIdentity) {
    this.#node = node;
  }

  /** What commands are answered that would go to the node; null: it may be spoken to. */
  get reply(): Buffer | null {
    return this.#reply;
  }

  /** It is cut when it may not speak any more. While it may not, it asks (`reply`) before it connects. */
  add(connection: Reconnecting): void {
    this.#connections.add(connection);
  }

  remove(connection: Reconnecting): void {
    this.#connections.delete(connection);
  }

  begin(why: string): void {
    const { name, address } = this.#node;
    this.#reply = encodeError(`TRYAGAIN node ${name} (${address}) ${cutOff(why)}; try again`);
    this.cutAll();
  }

  /** They are opened again, where that may be. */
  cutAll(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }

  end(): void {
    this.#reply = null;
  }
}

/** @returns what became of a node's connections, as a predicate of the node */
export function cutOff(why: string): string {
  return `is not spoken to: ${why}`;
}
