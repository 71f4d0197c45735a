/**
 * What the data plane finds of nodes while it serves clients, by its events: it cannot reach one, or one answers that
 * it cannot do its work. Probes need not see that: they have a connection already, and write nothing.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type NodeIdentity, nodeKey } from '../node/identity.js';

const DOWN = 'ringproxy:upstream:down';
const UP = 'ringproxy:upstream:up';
const IMPAIRED = 'ringproxy:upstream:impaired';
const RECOVERED = 'ringproxy:upstream:recovered';

export class ClientTrouble {
  readonly #down = new Map<string, string>();
  readonly #impaired = new Map<string, string>();
  readonly #onDown: (node: NodeIdentity, why: string) => void;
  #served: ReadonlySet<string> = new Set();
  readonly #handlers: readonly (readonly [channel: string, handler: (event: unknown) => void])[] = [
    [DOWN, (event) => this.#note(this.#down, event, 'error')],
    [UP, (event) => this.#note(this.#down, event, null)],
    [IMPAIRED, (event) => this.#note(this.#impaired, event, 'reason')],
    [RECOVERED, (event) => this.#note(this.#impaired, event, null)],
  ];

  /** @param onDown is told of each node that the data plane has found down, and why */
  constructor(onDown: (node: NodeIdentity, why: string) => void = () => {}) {
    this.#onDown = onDown;
    for (const [channel, handler] of this.#handlers) subscribe(channel, handler);
  }

  /** @returns what is wrong with the node, or null */
  of(node: NodeIdentity): string | null {
    const key = nodeKey(node);
    const down = this.#down.get(key);
    if (down !== undefined) return `NODEDOWN for clients: ${down}`;
    return this.#impaired.get(key) ?? null;
  }

  /**
   * Clients are served from these, and from no others: what was found of others says nothing of them once they serve
   * again, since nobody tells that it is over.
   */
  keep(nodes: readonly NodeIdentity[]): void {
    this.#served = new Set(nodes.map(nodeKey));
    for (const map of [this.#down, this.#impaired]) {
      for (const key of map.keys()) if (!this.#served.has(key)) map.delete(key);
    }
  }

  stop(): void {
    for (const [channel, handler] of this.#handlers) unsubscribe(channel, handler);
  }

  /** @param field where the event says what is wrong; null: nothing is any more */
  #note(map: Map<string, string>, event: unknown, field: string | null): void {
    if (typeof event !== 'object' || event === null) return;
    const node = { name: String(Reflect.get(event, 'node')), address: String(Reflect.get(event, 'address')) };
    const key = nodeKey(node);
    if (field === null) map.delete(key);
    else if (this.#served.has(key)) map.set(key, String(Reflect.get(event, field)));
    if (field === 'error') this.#onDown(node, String(Reflect.get(event, field)));
  }
}
