/**
 * What one node's connection is subscribed to, as far as the node has answered.
 *
 *   add ──▶ awaited ──confirm──▶ heard ──remove──▶ gone
 *                  ──refuse───▶ refused ─remove──▶ gone
 */
import type { Topic } from './topic.js';

export class FeedTopics {
  readonly #all = new Set<Topic>();
  /** Those that the node has not answered. */
  #awaited = new Set<Topic>();
  readonly #refused = new Set<Topic>();

  get size(): number {
    return this.#all.size;
  }

  /** Those that the node is to be sent when it is connected anew. */
  [Symbol.iterator](): IterableIterator<Topic> {
    return this.#all.values();
  }

  /** @returns false when it was there */
  add(topic: Topic): boolean {
    if (this.#all.has(topic)) return false;
    this.#all.add(topic);
    this.#awaited.add(topic);
    return true;
  }

  /** @returns false when it was not there */
  remove(topic: Topic): boolean {
    if (!this.#all.delete(topic)) return false;
    this.#awaited.delete(topic);
    this.#refused.delete(topic);
    return true;
  }

  /** @returns whether the node was still to answer */
  onConfirmed(topic: Topic): boolean {
    return this.#awaited.delete(topic);
  }

  /** @returns whether the node was still to answer */
  onRefused(topic: Topic): boolean {
    if (!this.#awaited.delete(topic)) return false;
    this.#refused.add(topic);
    return true;
  }

  /** The connection is gone: the node hears of everything anew. */
  onDisconnected(): void {
    this.#awaited = new Set(this.#all);
    this.#refused.clear();
  }

  isAwaited(topic: Topic): boolean {
    return this.#awaited.has(topic);
  }

  get awaited(): number {
    return this.#awaited.size;
  }

  /** Whether the node has confirmed the topic, and it is still subscribed to. */
  hears(topic: Topic): boolean {
    return this.#all.has(topic) && !this.#awaited.has(topic) && !this.#refused.has(topic);
  }
}
