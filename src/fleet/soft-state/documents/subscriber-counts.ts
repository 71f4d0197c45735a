/**
 * How many clients of each proxy are subscribed to a channel, a pattern or a shard channel. A node counts connections,
 * and a proxy has one for all its clients in each of its processes; so only topics with more clients than connections
 * are told of: of a hundred thousand channels with a subscriber each, nothing is said.
 *
 * Bounds: `MOST_TOPICS` topics and `MOST_PATTERNS` patterns of a proxy, with names of up to `LONGEST_NAME` bytes. What
 * is beyond counts at other proxies as the node counts it: one a process.
 */
import type { FleetSubscribers, ProxyTopic, TopicCount } from '../../../proxy/peers/fleet.js';
import type { Subscribed } from '../../../proxy/peers/peers.js';
import { isCount } from '../../crdt/lattice.js';
import { type LwwEntry, type LwwMap, liveEntries, lwwMap } from '../../crdt/lww-map.js';
import type { SoftDocument } from '../document.js';
import type { SoftState } from '../soft-state.js';

type Kind = TopicCount['kind'];

/** Index-aligned with the kinds of topics. */
const PATTERN = 1;
const MOST_TOPICS = 8192;
const MOST_PATTERNS = 256;
const LONGEST_NAME = 200;
const TOPIC_PARTS = 32;
/** Twice the mean, for the spread, and for topics that are gone and not forgotten. */
const MOST_OF_PART = (2 * MOST_TOPICS) / TOPIC_PARTS;

type Told = readonly [clients: number, connections: number];

const NOBODY: Subscribed = { clients: 0, connections: 0 };

export class SubscriberCounts implements FleetSubscribers {
  readonly #state: SoftState;
  readonly #topics: SoftDocument<LwwMap<Told>>;
  readonly #patterns: SoftDocument<LwwMap<Told>>;
  /** Topics, and patterns, that this proxy tells of. */
  readonly #told = { topics: 0, patterns: 0 };
  #leftOut = 0;
  /** Of all other proxies; null: to be looked up. */
  #isEmpty: boolean | null = true;
  #heardPatterns: ReadonlyMap<string, Subscribed> | null = new Map();

  constructor(state: SoftState) {
    this.#state = state;
    // A character of a name is a byte.
    const lattice = lwwMap({ decode, longestKey: LONGEST_NAME + 1 });
    this.#topics = state.add({ name: 'subscribers', lattice, parts: TOPIC_PARTS, mostEntries: MOST_OF_PART });
    this.#patterns = state.add({ name: 'patterns', lattice, parts: 1, mostEntries: 2 * MOST_PATTERNS });
    this.#topics.onHeard(() => {
      this.#isEmpty = null;
    });
    this.#patterns.onHeard(() => {
      this.#isEmpty = null;
      this.#heardPatterns = null;
    });
  }

  /** Topics that were not told of, since they were too many or too long. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Tells what has changed. */
  tell(topics: readonly ProxyTopic[]): void {
    // One write for each part, since each copies it.
    const deltas = new Map<number, Map<string, LwwEntry<Told>>>();
    const patterns = new Map<string, LwwEntry<Told>>();
    for (const topic of topics) {
      const isPattern = topic.kind === PATTERN;
      const key = keyOf(topic.kind, topic.key);
      const part = this.#topics.partOf(key);
      let delta = isPattern ? patterns : deltas.get(part);
      if (delta === undefined) {
        delta = new Map();
        deltas.set(part, delta);
      }
      const entry = this.#entryOf(topic, key, isPattern, delta.get(key));
      if (entry !== null) delta.set(key, entry);
    }
    let isFull = patterns.size > 0 && !this.#patterns.write(0, patterns);
    if (isFull) this.#leftOut += patterns.size;
    for (const [part, delta] of deltas) {
      if (this.#topics.write(part, delta)) continue;
      isFull = true;
      this.#leftOut += delta.size;
    }
    if (isFull) this.#count();
  }

  get isEmpty(): boolean {
    this.#isEmpty ??= !this.#hasHeard();
    return this.#isEmpty;
  }

  subscribed(kind: Kind, topic: string): Subscribed {
    if (kind === PATTERN) return this.#patternsOfOthers().get(topic) ?? NOBODY;
    const key = keyOf(kind, topic);
    const part = this.#topics.partOf(key);
    let clients = 0;
    let connections = 0;
    for (const proxy of this.#topics.owners) {
      const told = proxy === this.#state.own ? undefined : this.#topics.read(proxy, part).get(key)?.value;
      if (told === undefined) continue;
      clients += told[0];
      connections += told[1];
    }
    return { clients, connections };
  }

  get patterns(): Iterable<readonly [pattern: string, subscribed: Subscribed]> {
    return this.#patternsOfOthers();
  }

  /** @returns what is to be written; null: nothing */
  #entryOf(
    { clients, connections, key: name }: ProxyTopic,
    key: string,
    isPattern: boolean,
    written: LwwEntry<Told> | undefined,
  ): LwwEntry<Told> | null {
    const document = isPattern ? this.#patterns : this.#topics;
    const told = (written ?? document.read(this.#state.own, isPattern ? 0 : this.#topics.partOf(key)).get(key))?.value;
    const isTold = clients > connections;
    if (told === undefined) {
      if (!isTold) return null;
      const isFull = isPattern ? this.#told.patterns >= MOST_PATTERNS : this.#told.topics >= MOST_TOPICS;
      if (isFull || name.length > LONGEST_NAME) {
        this.#leftOut++;
        return null;
      }
      if (isPattern) this.#told.patterns++;
      else this.#told.topics++;
    } else if (!isTold) {
      if (isPattern) this.#told.patterns--;
      else this.#told.topics--;
    } else if (told[0] === clients && told[1] === connections) return null;
    return { stamp: this.#state.clock.next(), value: isTold ? [clients, connections] : undefined };
  }

  #count(): void {
    const { own } = this.#state;
    this.#told.topics = sizeOf(this.#topics.readAll(own));
    this.#told.patterns = sizeOf(this.#patterns.readAll(own));
  }

  #hasHeard(): boolean {
    for (const document of [this.#topics, this.#patterns]) {
      for (const proxy of document.owners) {
        if (proxy !== this.#state.own && sizeOf(document.readAll(proxy)) > 0) return true;
      }
    }
    return false;
  }

  #patternsOfOthers(): ReadonlyMap<string, Subscribed> {
    if (this.#heardPatterns !== null) return this.#heardPatterns;
    const heard = new Map<string, Subscribed>();
    for (const proxy of this.#patterns.owners) {
      if (proxy === this.#state.own) continue;
      for (const [key, [clients, connections]] of liveEntries(this.#patterns.read(proxy, 0))) {
        const pattern = key.slice(1);
        const others = heard.get(pattern) ?? NOBODY;
        heard.set(pattern, { clients: others.clients + clients, connections: others.connections + connections });
      }
    }
    this.#heardPatterns = heard;
    return heard;
  }
}

function keyOf(kind: Kind, key: string): string {
  return `${kind}${key}`;
}

function sizeOf(parts: Iterable<LwwMap<Told>>): number {
  let size = 0;
  for (const part of parts) for (const { value } of part.values()) if (value !== undefined) size++;
  return size;
}

function decode(value: unknown): Told | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [clients, connections]: readonly unknown[] = value;
  return isCount(clients) && isCount(connections) && connections > 0 ? [clients, connections] : null;
}
