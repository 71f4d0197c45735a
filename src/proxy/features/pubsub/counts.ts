/**
 * A node counts connections, and one of this data plane's stands for all its clients. So in what PUBLISH and PUBSUB
 * NUMSUB answer, that connection is replaced by the clients, and so are those of the proxy's other processes. So are
 * those of other proxies, as far as they have told; they count as one each otherwise.
 */
import { array, bulk, integer } from '../../../resp/encode.js';
import { parseIntegerLine } from '../../../resp/inspect.js';
import { CHANNEL, type TopicKind } from '../../peers/topic-kind.js';
import { RewrittenReply } from '../../request/rewritten-reply.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import { clientsElsewhere, type OtherCounts, type Others } from './other-counts.js';
import type { PubSub } from './pubsub.js';

const COLON = 0x3a;
const STAR = 0x2a;
const LF = 0x0a;

/** Of whom the subscribers are counted. */
export interface CountedBy {
  readonly pubsub: PubSub;
  /** Null: there are neither other processes nor other proxies. */
  readonly others: OtherCounts | null;
}

/** For PUBLISH and SPUBLISH. */
export class PublishCount extends RewrittenReply {
  readonly #by: CountedBy;
  /** Who counts. */
  readonly #node: UpstreamNode;
  readonly #kind: TopicKind;
  readonly #key: string;

  constructor(by: CountedBy, node: UpstreamNode, kind: TopicKind, key: string) {
    super(node.shared.requests);
    this.#by = by;
    this.#node = node;
    this.#kind = kind;
    this.#key = key;
  }

  protected rewrite(buffer: Buffer, start: number, end: number): Buffer | Promise<Buffer> | null {
    if (buffer[start] !== COLON) return null;
    const counted = parseIntegerLine(buffer, start, end);
    const clients = clientsOf(this.#by, this.#node, counted, this.#kind, this.#key, this.#kind === CHANNEL);
    return typeof clients === 'number' ? integer(clients) : clients.then(integer);
  }
}

/** For PUBSUB NUMSUB and SHARDNUMSUB, which do not count patterns. */
export class ChannelCounts extends RewrittenReply {
  readonly #by: CountedBy;
  /** Who counts. */
  readonly #node: UpstreamNode;
  readonly #kind: TopicKind;
  readonly #keys: readonly string[];

  constructor(by: CountedBy, node: UpstreamNode, kind: TopicKind, keys: readonly string[]) {
    super(node.shared.requests);
    this.#by = by;
    this.#node = node;
    this.#kind = kind;
    this.#keys = keys;
  }

  protected rewrite(buffer: Buffer, start: number, _end: number): Promise<Buffer> | null {
    if (buffer[start] !== STAR) return null;
    let at = buffer.indexOf(LF, start) + 1;
    const counts = this.#keys.map((key) => {
      const header = buffer.indexOf(LF, at) + 1;
      const line = header + key.length + 2;
      at = buffer.indexOf(LF, line) + 1;
      return clientsOf(this.#by, this.#node, parseIntegerLine(buffer, line, at), this.#kind, key, false);
    });
    return Promise.all(counts).then((clients) =>
      array(this.#keys.flatMap((key, i) => [bulk(Buffer.from(key, 'latin1')), integer(clients[i] ?? 0)])),
    );
  }
}

/** @param counted how many connections the node counts */
function clientsOf(
  { pubsub, others }: CountedBy,
  node: UpstreamNode,
  counted: number,
  kind: TopicKind,
  key: string,
  withPatterns: boolean,
): number | Promise<number> {
  // Whoever has subscribed since did not hear of it.
  if (counted === 0) return 0;
  const own = pubsub.subscribed(node, kind, key, withPatterns);
  if (others === null || counted <= own.connections) return Math.max(0, counted - own.connections) + own.clients;
  const total = ({ processes, fleet }: Others): number => {
    const elsewhere = Math.max(0, counted - own.connections - processes.connections);
    return own.clients + processes.clients + clientsElsewhere(elsewhere, fleet);
  };
  const asked = others.ask({ node: node.name, address: node.address, kind, key, withPatterns });
  return asked instanceof Promise ? asked.then(total) : total(asked);
}
