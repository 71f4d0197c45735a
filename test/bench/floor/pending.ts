import type { FloorClient } from './client.js';

/** Something that a node owes a reply to. */
export abstract class Pending {
  /** The next one that the same node owes a reply to. */
  behind: Pending | null = null;

  /** Takes `chunk[start, end)` of the reply, which is only lent. */
  abstract take(chunk: Buffer, start: number, end: number, isLast: boolean): void;
}

/** A reply that is owed to a client, in its place behind those to earlier commands. */
export class Slot extends Pending {
  readonly client: FloorClient;
  /** The next one of the same client. */
  next: Slot | null = null;
  /** What has come before it was its turn. */
  held: Buffer[] | null = null;
  isWhole = false;

  constructor(client: FloorClient) {
    super();
    this.client = client;
  }

  override take(chunk: Buffer, start: number, end: number, isLast: boolean): void {
    this.client.onReply(this, chunk, start, end, isLast);
  }
}

/** What nodes owe replies to, in the order in which it was sent. */
export class PendingQueue {
  #first: Pending | null = null;
  #last: Pending | null = null;

  get first(): Pending | null {
    return this.#first;
  }

  push(pending: Pending): void {
    if (this.#last === null) this.#first = pending;
    else this.#last.behind = pending;
    this.#last = pending;
  }

  shift(): void {
    this.#first = this.#first?.behind ?? null;
    if (this.#first === null) this.#last = null;
  }
}
