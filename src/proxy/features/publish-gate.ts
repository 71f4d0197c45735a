import type { RequestFramer } from '../../resp/request-framer.js';
import type { Published } from '../peers/topic-kind.js';
import type { ClientConnection } from '../session/client-connection.js';
import type { UpstreamNode } from '../upstream/upstream-node.js';

/** Keeps what is published behind what was subscribed to before: a port of the features that may publish. */
export interface PublishGate {
  /** Whether a message that is published at this node now might miss a subscriber, as far as can be told without asking. */
  isBehind(node: UpstreamNode): boolean;
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
  ): boolean;
}
