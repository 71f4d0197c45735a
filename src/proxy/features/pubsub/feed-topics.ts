/**
 * What one node's connection is subscribed to, as far as the node has answered.
 *
 *   add ──▶ awaited ──confirm──▶ heard ──remove──▶ gone
 *                  ──refuse───▶ refused ─remove──▶ gone
 */

import { matchesGlob } from '../../../resp/glob.js';
import { PATTERN } from '../../peers/topic-kind.js';
import type { Topic } from './topic.js';

/** Where more patterns are awaited, nobody looks which of them a channel matches. */
const MOST_MATCHED = 100;

export class FeedTopics {
  readonly #all = new Set<Topic>();
  /** Those that the node has not answered. */
  readonly #awaited = new Set<Topic>();
  /** The patterns among them. */
  readonly #awaitedPatterns = new Set<Topic>();
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
    this.#await(topic);
    return true;
  }

  /** @returns false when it was not there */
  remove(topic: Topic): boolean {
    if (!this.#all.delete(topic)) return false;
    this.#endAwait(topic);
    this.#refused.delete(topic);
    return true;
  }

  /** @returns whether the node was still to answer */
  onConfirmed(topic: Topic): boolean {
    return this.#endAwait(topic);
  }

  /** @returns whether the node was still to answer */
  onRefused(topic: Topic): boolean {
    if (!this.#endAwait(topic)) return false;
    this.#refused.add(topic);
    return true;
  }

  /** The connection is gone: the node hears of everything anew. */
  onDisconnected(): void {
    for (const topic of this.#all) this.#await(topic);
    this.#refused.clear();
  }

  isAwaited(topic: Topic): boolean {
    return this.#awaited.has(topic);
  }

  /** Whether one of the patterns that the node has not answered matches this channel; where they are many, perhaps. */
  awaitsPatternOf(channel: string): boolean {
    const patterns = this.#awaitedPatterns;
    if (patterns.size === 0 || patterns.size > MOST_MATCHED) return patterns.size > 0;
    const text = Buffer.from(channel, 'latin1');
    for (const { name } of patterns) if (matchesGlob(name, text)) return true;
    return false;
  }

  get awaited(): number {
    return this.#awaited.size;
  }

  /** Whether the node has confirmed the topic, and it is still subscribed to. */
  hears(topic: Topic): boolean {
    return this.#all.has(topic) && !this.#awaited.has(topic) && !this.#refused.has(topic);
  }

  #await(topic: Topic): void {
    this.#awaited.add(topic);
    if (topic.kind === PATTERN) this.#awaitedPatterns.add(topic);
  }

  #endAwait(topic: Topic): boolean {
    this.#awaitedPatterns.delete(topic);
    return this.#awaited.delete(topic);
  }
}
