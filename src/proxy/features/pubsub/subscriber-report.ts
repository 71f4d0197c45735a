/**
 * Tells other proxies how many clients are subscribed to what: only where they are several, since a node counts this
 * data plane's one connection, which is as right for one client.
 */
import type { TopicCount } from '../../peers/fleet.js';
import type { Topic } from './topic.js';

/** Of topics that were told of. */
const MOST_TOLD = 10_000;

export class SubscriberReport {
  readonly #report: (topics: readonly TopicCount[]) => void;
  readonly #changed = new Set<Topic>();
  /** By the topic: how many clients were told. */
  readonly #told = new Map<Topic, number>();

  constructor(report: (topics: readonly TopicCount[]) => void) {
    this.#report = report;
  }

  /** The topic has a client more, or less. */
  note(topic: Topic): void {
    if (topic.clients.size > 1 || this.#told.has(topic)) this.#changed.add(topic);
  }

  /** Called about ten times a second: what comes and goes in between is not told. */
  tick(): void {
    if (this.#changed.size === 0) return;
    const topics: TopicCount[] = [];
    for (const topic of this.#changed) {
      const { kind, key } = topic;
      const clients = topic.clients.size;
      const told = this.#told.get(topic);
      if (clients === (told ?? 0) || (told === undefined && (clients < 2 || this.#told.size >= MOST_TOLD))) continue;
      if (clients < 2) this.#told.delete(topic);
      else this.#told.set(topic, clients);
      topics.push({ kind, key, clients });
    }
    this.#changed.clear();
    if (topics.length > 0) this.#report(topics);
  }
}
