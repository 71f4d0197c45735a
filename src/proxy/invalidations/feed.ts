/**
 * What a data plane hears of one node's changed keys: a connection that broadcasts the names of keys with certain
 * prefixes (CLIENT TRACKING ON BCAST).
 */
import { decodeReply, type ReplyValue } from '../../resp/decode.js';
import type { LaneKind } from '../upstream/lane-kind.js';
import { SideConnection, type SideListener } from '../upstream/side-connection.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import { overlap } from './prefixes.js';

const ERROR_BYTE = 0x2d;
const PUSH_BYTE = 0x3e;
/** A node is asked no more often whether all was heard: whoever waits for the answer shares it. Milliseconds. */
const ASK_PAUSE_MS = 1;
/** How often it is asked where somebody trusts a feed only for so long. Milliseconds. */
const HEARTBEAT_MS = 500;
/** In RESP3 the first byte tells what is said unasked. */
const KIND: LaneKind = { protocol: 3, database: 0 };

export interface FeedListener {
  /** These keys of the node's have changed; null: all of them may have. */
  onInvalidated(node: UpstreamNode, keys: readonly Buffer[] | null): void;
  /** `ready` or `down` of the feed has changed. */
  onFeedChanged(): void;
  /** The node has answered this question: whatever had changed when it was asked, by the clock, was told before. */
  onHeard(node: UpstreamNode, barrier: number, askedAt: number): void;
}

export class InvalidationFeed implements SideListener {
  readonly node: UpstreamNode;
  /** Every change of a key that is asked for is heard. */
  ready = false;
  /** The last attempt to connect has failed. */
  down = false;
  readonly #listener: FeedListener;
  readonly #connection: SideConnection;
  #prefixes: readonly string[];
  /** Tells the answers to the last question from older ones. */
  #version = 0;
  /** Something was heard by this connection, so there is something to miss. */
  #hasHeard = false;
  /** Questions whether all was heard, by their numbers: the last one that was asked, and that somebody waits for. */
  #asked = 0;
  #wanted = 0;
  #askedAt = 0;
  #isAsking = false;
  #pause: NodeJS.Timeout | null = null;

  /** @param prefixes none of which begins with another */
  constructor(node: UpstreamNode, prefixes: readonly string[], listener: FeedListener) {
    this.node = node;
    this.#prefixes = prefixes;
    this.#listener = listener;
    this.#connection = new SideConnection(node, KIND, this);
    this.#connection.open();
  }

  /** From now on keys with these prefixes are listened to. @param prefixes none of which begins with another */
  listen(prefixes: readonly string[]): void {
    const before = this.#prefixes;
    this.#prefixes = prefixes;
    if (!this.#connection.ready) return;
    const kept = new Set(prefixes);
    const known = new Set(before);
    const added = prefixes.filter((prefix) => !known.has(prefix));
    const drops = before.some((prefix) => !kept.has(prefix));
    if (added.length === 0 && !drops) return;
    this.ready = false;
    if (drops || added.some((prefix) => before.some((other) => overlap(prefix, other)))) {
      // A node takes no prefix that overlaps others, and gives none back. What changes in between is not heard.
      this.#connection.ask(['CLIENT', 'TRACKING', 'OFF'], () => this.#listener.onInvalidated(this.node, null));
      this.#ask(prefixes);
    } else this.#ask(added);
    this.#listener.onFeedChanged();
  }

  /**
   * Asks whether all changes were told, by a connection on which the answer comes behind them.
   * @returns the number of a question that is asked from now on (`onHeard`)
   */
  barrier(): number {
    this.#wanted = this.#asked + 1;
    this.#askAgain();
    return this.#wanted;
  }

  /** @param heartbeat whether it is to be heard of all the time */
  tick(heartbeat: boolean): void {
    this.#connection.tick();
    if (heartbeat && !this.#isAsking && this.#now - this.#askedAt > HEARTBEAT_MS) this.barrier();
  }

  close(): void {
    this.#connection.close();
    this.#endPause();
  }

  onReady(): void {
    this.#ask(this.#prefixes);
  }

  onSaid(type: number, buffer: Buffer, start: number, end: number): boolean {
    if (type !== PUSH_BYTE) return false;
    const message = decodeReply(buffer.subarray(start, end))?.value;
    if (!Array.isArray(message) || String(message[0]) !== 'invalidate') return true;
    const keys: ReplyValue | undefined = message[1];
    this.#listener.onInvalidated(
      this.node,
      Array.isArray(keys)
        ? keys.filter((key): key is Buffer => Buffer.isBuffer(key)).map((key) => Buffer.from(key))
        : null,
    );
    return true;
  }

  onDown(): void {
    this.ready = false;
    this.down = true;
    this.#version++;
    this.#isAsking = false;
    this.#endPause();
    // What has changed since the last message, nobody knows: also where it was lost while prefixes were added.
    if (this.#hasHeard) this.#listener.onInvalidated(this.node, null);
    this.#hasHeard = false;
    this.#listener.onFeedChanged();
  }

  get #now(): number {
    return this.node.shared.clock.read();
  }

  /** Asks what somebody waits for, one question at a time. */
  #askAgain(): void {
    if (this.#isAsking || this.#pause !== null || this.#wanted <= this.#asked || !this.#connection.ready) return;
    const now = this.#now;
    if (now - this.#askedAt < ASK_PAUSE_MS) {
      this.#pause = setTimeout(() => {
        this.#pause = null;
        this.#askAgain();
      }, ASK_PAUSE_MS);
      return;
    }
    this.#isAsking = true;
    this.#askedAt = now;
    const barrier = ++this.#asked;
    this.#connection.ask(['PING'], () => {
      this.#isAsking = false;
      this.#listener.onHeard(this.node, barrier, this.#askedAt);
      this.#askAgain();
    });
  }

  #endPause(): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = null;
  }

  #ask(prefixes: readonly string[]): void {
    const version = ++this.#version;
    const words = prefixes.includes('') ? [] : prefixes.flatMap((prefix) => ['PREFIX', prefix]);
    this.#connection.ask(['CLIENT', 'TRACKING', 'ON', 'BCAST', ...words], (buffer, start) => {
      if (version !== this.#version) return;
      // A node that does not broadcast (older than Redis 6, or not allowed to) counts as one that is down.
      this.ready = buffer[start] !== ERROR_BYTE;
      this.#hasHeard ||= this.ready;
      this.down = !this.ready;
      this.#listener.onFeedChanged();
    });
  }
}
