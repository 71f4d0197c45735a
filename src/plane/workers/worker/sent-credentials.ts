import { NodeCredentials } from '../../../node/tls.js';
import type { RoutedNode } from '../../../proxy/snapshot.js';
import type { SentCredential, SentSnapshot } from '../messages.js';

/** What the worker uses with nodes that speak TLS, as its primary has sent it. */
export class SentCredentials {
  readonly #all = new Map<string, NodeCredentials>();

  /** Connections that are opened from now on have these. */
  take({ id, material, rules }: SentCredential): void {
    const known = this.#all.get(id);
    if (known === undefined) this.#all.set(id, new NodeCredentials(id, material, rules));
    else known.use(material);
  }

  /** @returns the nodes of a snapshot */
  routed({ nodes, credentials }: Pick<SentSnapshot, 'nodes' | 'credentials'>): RoutedNode[] {
    for (const one of credentials) this.take(one);
    return nodes.map(({ tls, ...node }) => {
      const used = tls === undefined ? undefined : this.#all.get(tls.credentials);
      return { ...node, tls: tls && used && { serverName: tls.serverName, credentials: used } };
    });
  }
}
