/**
 * A message that is published behind a SUBSCRIBE reaches the subscriber, whatever connections the two come by.
 *
 *   client A   SUBSCRIBE c ──▶ proxy ──▶ every node, on the connection that listens (feed)
 *   client B   PUBLISH c m ──▶ proxy ──▶ the owner of c, on a lane
 *
 * The two connections to the node have no order between them. So what publishes waits here while the node has not
 * confirmed a topic that the message is for. Each command waits once, for what was subscribed to before it came, so
 * that those who go on subscribing keep nobody from publishing. When nothing is to be confirmed, this costs a look;
 * with several processes, a question to the others.
 */
import type { RequestFramer } from '../../../resp/request-framer.js';
import type { Published } from '../../peers/topic-kind.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { PeerSubscriptions } from './peer-subscriptions.js';
import type { PubSub } from './pubsub.js';

/** What a client has waited for at a node. Offsets are those of commands in all that the client has sent. */
interface Waited {
  /** The command that has waited. */
  readonly command: number;
  /** All that had come from the client when the other processes were asked. */
  readonly received: number;
}

export class PublishOrder {
  readonly #pubsub: PubSub;
  readonly #peers: PeerSubscriptions | null;
  readonly #waited = new Map<ClientConnection, Map<UpstreamNode, Waited>>();

  /** @param peers null: there are no other processes */
  constructor(pubsub: PubSub, peers: PeerSubscriptions | null) {
    this.#pubsub = pubsub;
    this.#peers = peers;
  }

  /**
   * Whether a message that is published at this node now might miss a subscriber, as far as can be told without asking:
   * what another process has not read yet is left out.
   */
  isBehind(node: UpstreamNode): boolean {
    return this.#pubsub.isBehindOnSome(node) || this.#peers?.areBehind() === true;
  }

  /**
   * Asked right before the command that `framer` holds is sent, which publishes at this node.
   * @param published null: it is not known on which channels
   * @returns whether the client waits: its command is offered again then
   */
  mustWait(
    client: ClientConnection,
    framer: RequestFramer,
    node: UpstreamNode,
    published: readonly Published[] | null,
  ): boolean {
    const peers = this.#peers;
    if (peers === null && !this.#pubsub.isBehindOnSome(node)) return false;
    const command = client.offsetBehind(framer);
    const waited = this.#waited.get(client)?.get(node);
    if (waited?.command === command) return false;
    const waits: Promise<void>[] = [];
    if (this.#isBehindOn(node, published)) waits.push(this.#pubsub.keptUp(node));
    if (peers !== null && (waited === undefined || waited.received < command)) waits.push(peers.keptUp(node));
    if (waits.length === 0) return false;
    const { received } = client;
    client.suspend();
    void Promise.all(waits).then(() => {
      if (client.closed) return;
      this.#note(client, node, { command, received });
      client.resumeSoon();
    });
    return true;
  }

  /** The client has left. */
  forget(client: ClientConnection): void {
    this.#waited.delete(client);
  }

  #note(client: ClientConnection, node: UpstreamNode, waited: Waited): void {
    const nodes = this.#waited.get(client);
    if (nodes === undefined) this.#waited.set(client, new Map([[node, waited]]));
    else nodes.set(node, waited);
  }

  #isBehindOn(node: UpstreamNode, published: readonly Published[] | null): boolean {
    if (published === null) return this.#pubsub.isBehindOnSome(node);
    for (const { kind, key } of published) if (this.#pubsub.isBehind(node, kind, key)) return true;
    return false;
  }
}
