import type { Request } from '../../request/request.js';
import { askAgain } from '../../route/ask-again.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill, Wait } from './fill.js';

/** A read, as it came, that nobody else has the answer to: its client waits until the key is there, and then it is sent again. */
export class ValueWait implements Wait {
  readonly client: ClientConnection;
  readonly since: number;
  readonly fill: Fill;
  readonly request: Request;
  readonly takes = 'nothing';
  readonly #router: Router;
  readonly #frame: Buffer;
  readonly #missing: Buffer;

  /** @param missing what it was answered */
  constructor(
    client: ClientConnection,
    request: Request,
    router: Router,
    fill: Fill,
    since: number,
    frame: Buffer,
    missing: Buffer,
  ) {
    this.client = client;
    this.since = since;
    this.fill = fill;
    this.request = request;
    this.#router = router;
    this.#frame = frame;
    this.#missing = missing;
    request.misses = null;
    request.lane = null;
  }

  /** What GET answers is nothing to it. */
  onReply(): void {
    this.onMiss();
  }

  onThere(node: UpstreamNode): void {
    if (askAgain(this.#router, this.client, this.request, node, this.#frame)) return;
    this.client.onFailure(this.request, node.downReply);
  }

  onMiss(): void {
    this.client.onReply(this.request, this.#missing, 0, this.#missing.length);
  }

  onLeft(): void {
    this.#router.shared.requests.give(this.request);
  }
}
