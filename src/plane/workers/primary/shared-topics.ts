/** In the primary: topics with several clients, of all workers together, for other proxies. */
import type { ProxyTopic, TopicCount } from '../../../proxy/peers/fleet.js';
import type { FromWorker } from '../messages.js';

interface Topic extends Pick<TopicCount, 'kind' | 'key'> {
  /** Of each worker that has several: how many. */
  readonly clients: Map<object, number>;
}

export class SharedTopics {
  readonly #tell: (topics: readonly ProxyTopic[]) => void;
  /** By kind and key. */
  readonly #topics = new Map<string, Topic>();

  constructor(tell: (topics: readonly ProxyTopic[]) => void) {
    this.#tell = tell;
  }

  onTopics(worker: object, { topics }: FromWorker<'topics'>): void {
    this.#tell(topics.map(({ kind, key, clients }) => this.#sum(this.#change(worker, kind, key, clients))));
  }

  /** The worker has ended, and its clients with it. */
  onExit(worker: object): void {
    const left = [...this.#topics.values()].filter(({ clients }) => clients.has(worker));
    if (left.length > 0) this.#tell(left.map(({ kind, key }) => this.#sum(this.#change(worker, kind, key, 0))));
  }

  #change(worker: object, kind: TopicCount['kind'], key: string, clients: number): Topic {
    const name = `${kind}${key}`;
    const topic = this.#topics.get(name) ?? { kind, key, clients: new Map() };
    if (clients > 1) topic.clients.set(worker, clients);
    else topic.clients.delete(worker);
    if (topic.clients.size > 0) this.#topics.set(name, topic);
    else this.#topics.delete(name);
    return topic;
  }

  #sum({ kind, key, clients }: Topic): ProxyTopic {
    const sum = [...clients.values()].reduce((total, each) => total + each, 0);
    return { kind, key, clients: sum, connections: clients.size };
  }
}
