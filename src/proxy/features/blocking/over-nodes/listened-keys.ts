/**
 * For which keys nodes are listened to, so that it is heard when one of them gets something. Who comes back soon
 * (workers that wait for a second at a time) finds its keys still listened to: a node does not stop to tell of one key
 * without a moment in which it tells of none.
 */

import type { Invalidations, Subscriber, Subscription } from '../../../invalidations/invalidations.js';
import { MOST_LISTENED } from '../../../invalidations/invalidations.js';
import type { TurnTask } from '../../../io/turn.js';
import type { Router } from '../../../route/router.js';

const EVERYTHING = '';
/** Keys that nobody waits for any more are listened to for so long. Milliseconds. */
const LINGER_MS = 10_000;

export class ListenedKeys implements TurnTask {
  readonly #router: Router;
  readonly #invalidations: Invalidations;
  readonly #subscription: Subscription;
  /** One character for each byte; the value is since when nobody waits for it, or Infinity. */
  readonly #keys = new Map<string, number>();
  /** Those that nodes were asked for. */
  #listened = new Set<string>();
  #scheduled = false;
  #isLate = false;
  #checkedAt = 0;

  constructor(router: Router, invalidations: Invalidations, subscriber: Omit<Subscriber, 'prefixes'>) {
    this.#router = router;
    this.#invalidations = invalidations;
    this.#subscription = invalidations.subscribe({
      prefixes: [],
      onInvalidated: (keys, node) => subscriber.onInvalidated(keys, node),
      onFeedChanged: () => {
        if (this.#isLate) this.#listenSoon();
        subscriber.onFeedChanged();
      },
    });
  }

  want(key: string): void {
    this.#keys.set(key, Number.POSITIVE_INFINITY);
    if (!this.#isListened(key)) this.#listenSoon();
  }

  /** Nobody waits for it any more. */
  leave(key: string): void {
    this.#keys.set(key, this.#router.shared.clock.now);
  }

  /** Whether everything is heard that happens to the key. */
  isHeard(key: string, bytes: Uint8Array): boolean {
    return this.#isListened(key) && this.#invalidations.isHeard(bytes);
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    if (now - this.#checkedAt < LINGER_MS / 2 || this.#keys.size === 0) return;
    this.#checkedAt = now;
    const before = this.#keys.size;
    for (const [key, since] of this.#keys) if (now - since > LINGER_MS) this.#keys.delete(key);
    if (this.#keys.size < before) this.#listenSoon();
  }

  /** All that is wanted in one turn is asked for at once, and no more while a node has not answered yet. */
  endOfTurn(): void {
    this.#scheduled = false;
    this.#isLate = !this.#invalidations.settled;
    if (this.#isLate) return;
    const all = this.#keys.size > MOST_LISTENED;
    if (all && this.#listened.has(EVERYTHING)) return;
    this.#listened = all ? new Set([EVERYTHING]) : new Set(this.#keys.keys());
    this.#subscription.listen([...this.#listened]);
  }

  #isListened(key: string): boolean {
    return this.#listened.has(key) || this.#listened.has(EVERYTHING);
  }

  #listenSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#router.shared.turn.resume(this);
  }
}
