import { type NodeIdentity, nodeKey } from '../../../node/identity.js';

/** What a worker may find of a node, and the end of that. */
const ENDS: ReadonlyMap<string, string> = new Map([
  ['ringproxy:upstream:down', 'ringproxy:upstream:up'],
  ['ringproxy:upstream:impaired', 'ringproxy:upstream:recovered'],
]);

interface Found {
  /** Tells of its end. */
  readonly end: string;
  readonly node: string;
  /** As the last worker that found it has told. */
  event: object;
  readonly workers: Set<number>;
}

/**
 * Each worker notices by itself that a node is gone or back, or says that it cannot do its work: it is news when the
 * first one notices, or the last.
 */
export class NodeStates {
  /** By what it is and by the node. */
  readonly #found = new Map<string, Found>();

  isNews(worker: number, channel: string, event: object): boolean {
    const begins = ENDS.get(channel);
    const end = begins ?? ([...ENDS.values()].includes(channel) ? channel : null);
    if (end === null) return true;
    const node = nodeKey({ name: String(Reflect.get(event, 'node')), address: String(Reflect.get(event, 'address')) });
    const key = `${end}\n${node}`;
    const found = this.#found.get(key) ?? { end, node, event, workers: new Set<number>() };
    this.#found.set(key, found);
    if (begins === undefined) return found.workers.delete(worker) && found.workers.size === 0;
    found.workers.add(worker);
    found.event = event;
    return found.workers.size === 1;
  }

  /** Of nodes that are no members any more nobody says that they are back. @param nodes the members */
  keep(nodes: readonly NodeIdentity[]): void {
    const members = new Set(nodes.map(nodeKey));
    for (const [key, { node }] of this.#found) if (!members.has(node)) this.#found.delete(key);
  }

  /** The worker is gone. @returns what has ended with it, since no other worker has found it */
  forget(worker: number): { readonly channel: string; readonly event: object }[] {
    return [...this.#found.values()].flatMap(({ end, event, workers }) => {
      if (!workers.delete(worker) || workers.size > 0) return [];
      return [{ channel: end, event: { ...event, error: '', reason: '' } }];
    });
  }
}
