/** All keys that commands wait for whose keys are on several nodes, and what wakes those who wait. */
import { Invalidations } from '../../../invalidations/invalidations.js';
import type { Router } from '../../../route/router.js';
import type { RoutingSnapshot } from '../../../snapshot.js';
import type { UpstreamNode } from '../../../upstream/upstream-node.js';
import { KeyQueue, type QueuePort } from './key-queue.js';
import { ListenedKeys } from './listened-keys.js';

/** A key of which nobody tells whether it has got something is looked at this often. Milliseconds. */
const POLL_MS = 250;
/** So often a key is looked at of which a node does not tell all: that a group of readers was removed. Milliseconds. */
const SLOW_POLL_MS = 1000;
/** Keys that are looked at in one tick, at most: of 10,000 each has its turn in ten seconds. */
const MOST_POLLED = 100;

export class KeyQueues implements QueuePort {
  readonly router: Router;
  /** Feeds of its own: keys come and go here, and others must not forget what they keep for that. */
  readonly #invalidations = new Invalidations();
  readonly #listened: ListenedKeys;
  readonly #isPaused: () => boolean;
  /** By key, then by database and sort. */
  readonly #byKey = new Map<string, Map<string, KeyQueue>>();
  /** Those whose keys may get something unheard; who was looked at last stands last. */
  readonly #doubted = new Set<KeyQueue>();
  /** Those whose keys are heard, but not all that matters to who waits for them; in the same order. */
  readonly #polled = new Set<KeyQueue>();

  /** @param isPaused whether nothing is to be taken at the moment */
  constructor(router: Router, isPaused: () => boolean) {
    this.router = router;
    this.#isPaused = isPaused;
    this.#listened = new ListenedKeys(router, this.#invalidations, {
      onInvalidated: (keys) => this.#onInvalidated(keys),
      onFeedChanged: () => this.#believe(),
    });
  }

  /** @param sort who waits for the same in the same order @param isPolled its node does not tell all that matters to them */
  of(database: number, sort: string, key: Buffer, isPolled = false): KeyQueue {
    const name = key.toString('latin1');
    const queues = this.#byKey.get(name) ?? new Map<string, KeyQueue>();
    if (queues.size === 0) this.#byKey.set(name, queues);
    const id = idOf(database, sort);
    const known = queues.get(id);
    if (known !== undefined) return known;
    const queue = new KeyQueue(this, database, sort, Buffer.from(key));
    queues.set(id, queue);
    this.doubt(queue);
    if (isPolled) this.#polled.add(queue);
    this.#listened.want(name);
    this.#believe(queue);
    return queue;
  }

  isPaused(): boolean {
    return this.#isPaused();
  }

  doubt(queue: KeyQueue): void {
    queue.polledAt = this.router.shared.clock.now;
    this.#doubted.delete(queue);
    this.#doubted.add(queue);
  }

  onEmpty(queue: KeyQueue): void {
    this.#doubted.delete(queue);
    this.#polled.delete(queue);
    const queues = this.#byKey.get(queue.name);
    if (queues?.get(idOf(queue.database, queue.sort)) !== queue) return;
    queues.delete(idOf(queue.database, queue.sort));
    if (queues.size > 0) return;
    this.#byKey.delete(queue.name);
    this.#listened.leave(queue.name);
  }

  onPublish(snapshot: RoutingSnapshot, nodes: readonly UpstreamNode[]): void {
    for (const queue of this.#all()) {
      this.#doubted.add(queue);
      queue.resumeSoon();
    }
    this.#invalidations.onPublish(snapshot, nodes);
    this.#believe();
  }

  /** Nothing is paused any more. */
  resume(): void {
    for (const queue of this.#all()) queue.resumeSoon();
  }

  /** Called about ten times a second. */
  tick(now: number): void {
    this.#invalidations.tick();
    this.#listened.tick(now);
    for (const queue of due(this.#doubted, now, POLL_MS)) {
      if (this.#listened.isHeard(queue.name, queue.key)) this.#doubted.delete(queue);
      else this.doubt(queue);
      queue.mark();
    }
    for (const queue of due(this.#polled, now, SLOW_POLL_MS)) {
      queue.polledAt = now;
      this.#polled.delete(queue);
      this.#polled.add(queue);
      queue.mark();
    }
  }

  close(): void {
    this.#invalidations.close();
  }

  *#all(): Generator<KeyQueue> {
    for (const queues of this.#byKey.values()) yield* queues.values();
  }

  /** From here on everything is heard of these keys; what came before is looked for once more. */
  #believe(only: KeyQueue | null = null): void {
    for (const queue of only === null ? this.#doubted : [only]) {
      if (!this.#listened.isHeard(queue.name, queue.key)) continue;
      this.#doubted.delete(queue);
      queue.mark();
    }
  }

  #onInvalidated(keys: readonly Buffer[] | null): void {
    // Where a connection was lost the node is perhaps about to go: nobody tries there at once.
    if (keys === null) {
      for (const queue of this.#all()) this.doubt(queue);
      return;
    }
    for (const key of keys) {
      const queues = this.#byKey.get(key.toString('latin1'));
      if (queues !== undefined) for (const queue of queues.values()) queue.mark();
    }
  }
}

/** @returns those of the first ones that were not looked at for so long, in milliseconds */
function due(queues: ReadonlySet<KeyQueue>, now: number, interval: number): KeyQueue[] {
  const found: KeyQueue[] = [];
  for (const queue of queues) {
    if (found.length === MOST_POLLED || now - queue.polledAt < interval) break;
    found.push(queue);
  }
  return found;
}

function idOf(database: number, sort: string): string {
  return `${database} ${sort}`;
}
