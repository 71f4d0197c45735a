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
  /** Since when nodes answer no command: ISO dates. */
  readonly #silentSince = new Map<string, string>();
  readonly #onDown: (node: NodeIdentity, why: string) => void;
  #served: ReadonlySet<string> = new Set();
  readonly #handlers: readonly (readonly [channel: string, handler: (event: unknown) => void])[] = [
    [DOWN, (event) => this.#note(this.#down, event, 'error')],
    [UP, (event) => this.#note(this.#down, event, null)],
    [IMPAIRED, (event) => this.#noteImpaired(event)],
    [
      RECOVERED,
      (event) => {
        this.#note(this.#impaired, event, null);
        this.#note(this.#silentSince, event, null);
      },
    ],
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

  /** @returns since when it has answered no command, though it lets connections in, and what is told of it; null: it answers */
  silenceOf(node: NodeIdentity): { readonly since: string; readonly why: string } | null {
    const key = nodeKey(node);
    const since = this.#silentSince.get(key);
    return since === undefined ? null : { since, why: this.#impaired.get(key) ?? '' };
  }

  /**
   * Clients are served from these, and from no others: what was found of others says nothing of them once they serve
   * again, since nobody tells that it is over.
   */
  keep(nodes: readonly NodeIdentity[]): void {
    this.#served = new Set(nodes.map(nodeKey));
    for (const map of [this.#down, this.#impaired, this.#silentSince]) {
      for (const key of map.keys()) if (!this.#served.has(key)) map.delete(key);
    }
  }

  stop(): void {
    for (const [channel, handler] of this.#handlers) unsubscribe(channel, handler);
  }

  #noteImpaired(event: unknown): void {
    this.#note(this.#impaired, event, 'reason');
    if (typeof event !== 'object' || event === null) return;
    const key = keyOf(event);
    if (Reflect.get(event, 'answersNothing') !== true) this.#silentSince.delete(key);
    else if (this.#served.has(key) && !this.#silentSince.has(key)) this.#silentSince.set(key, new Date().toISOString());
  }

  /** @param field where the event says what is wrong; null: nothing is any more */
  #note(map: Map<string, string>, event: unknown, field: string | null): void {
    if (typeof event !== 'object' || event === null) return;
    const key = keyOf(event);
    if (field === null) map.delete(key);
    else if (this.#served.has(key)) map.set(key, String(Reflect.get(event, field)));
    if (field === 'error') this.#onDown(nodeOf(event), String(Reflect.get(event, field)));
  }
}

function nodeOf(event: object): NodeIdentity {
  return { name: String(Reflect.get(event, 'node')), address: String(Reflect.get(event, 'address')) };
}

function keyOf(event: object): string {
  return nodeKey(nodeOf(event));
}
