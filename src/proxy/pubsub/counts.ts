/**
 * A node counts connections, and one of this data plane's stands for all its clients. So in what PUBLISH and PUBSUB
 * NUMSUB answer, that connection is replaced by the clients. Those of other processes and proxies count as one each.
 */
import { array, bulk, integer } from '../../resp/encode.js';
import { parseIntegerLine } from '../../resp/inspect.js';
import { RewrittenReply } from '../merge/rewritten-reply.js';
import type { Request } from '../request.js';
import type { PubSub } from './pubsub.js';
import type { TopicKind } from './topic.js';

const COLON = 0x3a;
const STAR = 0x2a;
const LF = 0x0a;

/** For PUBLISH and SPUBLISH. */
export class PublishCount extends RewrittenReply {
  readonly #pubsub: PubSub;
  readonly #kind: TopicKind;
  readonly #key: string;

  constructor(pubsub: PubSub, kind: TopicKind, key: string) {
    super();
    this.#pubsub = pubsub;
    this.#kind = kind;
    this.#key = key;
  }

  protected rewrite(request: Request, buffer: Buffer, start: number, end: number): Buffer | null {
    const node = request.lane?.node;
    if (node === undefined || buffer[start] !== COLON) return null;
    const own = this.#pubsub.countedAt(node, this.#kind, this.#key);
    const others = Math.max(0, parseIntegerLine(buffer, start, end) - own);
    return integer(others + this.#pubsub.receivers(this.#kind, this.#key));
  }
}

/** For PUBSUB NUMSUB and SHARDNUMSUB, which do not count patterns. */
export class ChannelCounts extends RewrittenReply {
  readonly #pubsub: PubSub;
  readonly #kind: TopicKind;
  readonly #keys: readonly string[];

  constructor(pubsub: PubSub, kind: TopicKind, keys: readonly string[]) {
    super();
    this.#pubsub = pubsub;
    this.#kind = kind;
    this.#keys = keys;
  }

  protected rewrite(request: Request, buffer: Buffer, start: number, _end: number): Buffer | null {
    const node = request.lane?.node;
    if (node === undefined || buffer[start] !== STAR) return null;
    let at = buffer.indexOf(LF, start) + 1;
    const parts: Buffer[] = [];
    for (const key of this.#keys) {
      const name = Buffer.from(key, 'latin1');
      const header = buffer.indexOf(LF, at) + 1;
      const line = header + name.length + 2;
      const next = buffer.indexOf(LF, line) + 1;
      const counted = this.#pubsub.subscribers(node, this.#kind, key);
      const others = Math.max(0, parseIntegerLine(buffer, line, next) - counted.connections);
      parts.push(bulk(name), integer(others + counted.clients));
      at = next;
    }
    return array(parts);
  }
}
