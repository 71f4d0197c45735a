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
/** In RESP3 the first byte tells what is said unasked. */
const KIND: LaneKind = { protocol: 3, database: 0 };

export interface FeedListener {
  /** These keys of the node's have changed; null: all of them may have. */
  onInvalidated(node: UpstreamNode, keys: readonly Buffer[] | null): void;
  /** `ready` or `down` of the feed has changed. */
  onFeedChanged(): void;
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

  tick(): void {
    this.#connection.tick();
  }

  close(): void {
    this.#connection.close();
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
    // What has changed since the last message, nobody knows: also where it was lost while prefixes were added.
    if (this.#hasHeard) this.#listener.onInvalidated(this.node, null);
    this.#hasHeard = false;
    this.#listener.onFeedChanged();
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
