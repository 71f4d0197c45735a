/**
 * Keeps the order of a channel's messages while its owner changes.
 *
 * Before anybody publishes at the new owner, all that was published at the old one was answered (the fence), so it
 * stands in the old owner's connection already; but that connection may be read later than the new owner's. So what
 * comes from a new owner waits until every connection was read as far as it had got when the first such message, or
 * the news that keys move, came.
 */
import type { Rings } from '../../../ring/rings.js';

/** What of a snapshot matters here. */
interface Change {
  /** The same object for as long as the same change is under way. */
  readonly rings: Rings;
  readonly moves: object | null;
}

const NOTHING = 0;
/** Nobody publishes at the new owners yet, as far as is known here. */
const PREPARING = 1;
/** The connections are being read as far as they had got. */
const CATCHING_UP = 2;
const IN_ORDER = 3;
type State = typeof NOTHING | typeof PREPARING | typeof CATCHING_UP | typeof IN_ORDER;

export class ChangeOrder {
  readonly #feeds: () => Iterable<{ caughtUp(): Promise<void> }>;
  #rings: Rings | null = null;
  #nodes: readonly object[] = [];
  #state: State = NOTHING;
  #kept: (() => void)[] = [];

  /** @param feeds the connections to all nodes */
  constructor(feeds: () => Iterable<{ caughtUp(): Promise<void> }>) {
    this.#feeds = feeds;
  }

  /** @param nodes index-aligned with the snapshot's */
  onPublish({ rings, moves }: Change, nodes: readonly object[]): void {
    if (!rings.isChanging) this.#deliver(NOTHING);
    else if (rings !== this.#rings) this.#state = PREPARING;
    this.#rings = rings;
    this.#nodes = nodes;
    if (moves !== null && this.#state === PREPARING) this.#catchUp();
  }

  /** Whether a message from this node on this channel is to wait. @param channel `buffer[start, end)` */
  mustWait(node: object, buffer: Buffer, start: number, end: number): boolean {
    if (this.#state === NOTHING || this.#state === IN_ORDER) return false;
    const rings = this.#rings as Rings;
    const hash = rings.hashOf(buffer, start, end);
    if (!rings.movesAway(hash) || this.#nodes[rings.nextOwnerOf(hash)] !== node) return false;
    if (this.#state === PREPARING) this.#catchUp();
    return true;
  }

  /** Delivers a message that must wait, when it may. */
  keep(deliver: () => void): void {
    this.#kept.push(deliver);
  }

  #catchUp(): void {
    this.#state = CATCHING_UP;
    const rings = this.#rings;
    void Promise.all([...this.#feeds()].map((feed) => feed.caughtUp())).then(() => {
      const isSame = this.#state === CATCHING_UP && this.#rings === rings;
      this.#deliver(isSame ? IN_ORDER : this.#state);
    });
  }

  #deliver(state: State): void {
    this.#state = state;
    const kept = this.#kept;
    this.#kept = [];
    for (const deliver of kept) deliver();
  }
}
