/** Hands a message to those who are to hear it. */
import type { ClientConnection } from '../../session/client-connection.js';
import type { PendingSubscription } from './pending-subscription.js';
import type { Topic } from './topic.js';

const PUSH_BYTE = 0x3e;

/**
 * Sends a message as it came to all who are subscribed to the topic, and keeps it for those who are about to be.
 * @param limit bytes that may be kept for one client
 */
export function deliver(topic: Topic, resp2: Buffer, limit: number): void {
  const message = new Message(resp2);
  for (const client of topic.clients) message.sendTo(client);
  for (const client of topic.leaving) message.sendTo(client);
  for (const pending of topic.pending) if (!topic.clients.has(pending.client)) keep(pending, resp2, limit);
}

/** Sends what was kept for a client, whose subscription is confirmed. */
export function deliverKept({ client, kept }: PendingSubscription): void {
  for (const resp2 of kept) new Message(resp2).sendTo(client);
}

function keep(pending: PendingSubscription, resp2: Buffer, limit: number): void {
  pending.kept.push(resp2);
  pending.keptBytes += resp2.length;
  if (pending.keptBytes > limit) pending.client.close('more was published than is kept for it before it is subscribed');
}

/** Is made for each protocol at most once. */
class Message {
  readonly #resp2: Buffer;
  #resp3: Buffer | null = null;

  constructor(resp2: Buffer) {
    this.#resp2 = resp2;
  }

  sendTo(client: ClientConnection): void {
    if (client.kind.protocol === 2) {
      client.push(this.#resp2);
      return;
    }
    if (this.#resp3 === null) {
      this.#resp3 = Buffer.from(this.#resp2);
      this.#resp3[0] = PUSH_BYTE;
    }
    client.push(this.#resp3);
  }
}
