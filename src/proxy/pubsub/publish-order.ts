/**
 * A message that is published behind a SUBSCRIBE reaches the subscriber, whatever connections the two come by.
 *
 *   client A   SUBSCRIBE c ──▶ proxy ──▶ every node, on the connection that listens (feed)
 *   client B   PUBLISH c m ──▶ proxy ──▶ the owner of c, on a lane
 *
 * The two connections to the node have no order between them. So what publishes waits here while the node has not
 * confirmed a topic that the message is for. Each command waits once, for what was subscribed to before it came, so
 * that those who go on subscribing keep nobody from publishing. When nothing is to be confirmed, this costs a look.
 */
import type { ClientConnection } from '../client/client-connection.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';
import type { PeerSubscriptions } from './peer-subscriptions.js';
import type { PubSub } from './pubsub.js';
import type { TopicKind } from './topic.js';

/** A channel that a command publishes on. */
export interface Published {
  readonly kind: TopicKind;
  /** One character for each byte. */
  readonly key: string;
}

export class PublishOrder {
  readonly #pubsub: PubSub;
  readonly #peers: PeerSubscriptions | null;
  /** Whose command has waited, and for which node. */
  readonly #waited = new Map<ClientConnection, UpstreamNode>();

  /** @param peers null: there are no other processes */
  constructor(pubsub: PubSub, peers: PeerSubscriptions | null) {
    this.#pubsub = pubsub;
    this.#peers = peers;
  }

  /** Whether a message that is published at this node now might miss a subscriber. */
  isBehind(node: UpstreamNode): boolean {
    return this.#pubsub.isBehindOnSome(node) || this.#peers?.areBehind() === true;
  }

  /**
   * Asked right before a command is sent that publishes at this node.
   * @param published null: it is not known on which channels
   * @returns whether the client waits: its command is offered again then
   */
  mustWait(client: ClientConnection, node: UpstreamNode, published: readonly Published[] | null): boolean {
    if (this.#waited.size > 0) {
      const waited = this.#waited.get(client);
      this.#waited.delete(client);
      if (waited === node) return false;
    }
    if (!this.isBehind(node)) return false;
    const waits: Promise<void>[] = [];
    if (this.#isBehindOn(node, published)) waits.push(this.#pubsub.keptUp(node));
    if (this.#peers?.areBehind() === true) waits.push(this.#peers.keptUp(node, published));
    if (waits.length === 0) return false;
    client.suspend();
    void Promise.all(waits).then(() => {
      if (client.closed) return;
      this.#waited.set(client, node);
      client.resumeSoon();
    });
    return true;
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    this.#waited.delete(client);
  }

  /** Settles when the node has heard of what is subscribed to here and concerns these channels; null: any. */
  async keptUp(node: UpstreamNode, published: readonly Published[] | null): Promise<void> {
    if (this.#isBehindOn(node, published)) await this.#pubsub.keptUp(node);
  }

  #isBehindOn(node: UpstreamNode, published: readonly Published[] | null): boolean {
    if (published === null) return this.#pubsub.isBehindOnSome(node);
    for (const { kind, key } of published) if (this.#pubsub.isBehind(node, kind, key)) return true;
    return false;
  }
}
