import { request as encodeRequest, nullBulk } from '../../../resp/encode.js';
import type { Request } from '../../request/request.js';
import { askAgain } from '../../route/ask-again.js';
import type { Router } from '../../route/router.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill, Wait } from './fill.js';

/** A read of one key: its request stands in its client's queue, and nowhere else. */
export class KeyWait implements Wait {
  readonly client: ClientConnection;
  readonly since: number;
  readonly request: Request;
  readonly fill: Fill;
  readonly takes = 'value';
  readonly #router: Router;

  constructor(client: ClientConnection, request: Request, router: Router, fill: Fill, since: number) {
    this.client = client;
    this.since = since;
    this.request = request;
    this.#router = router;
    this.fill = fill;
    request.misses = null;
    request.lane = null;
  }

  onReply(buffer: Buffer, start: number, end: number): void {
    this.client.onReply(this.request, buffer, start, end);
  }

  onThere(node: UpstreamNode): void {
    if (askAgain(this.#router, this.client, this.request, node, readFrame(this.fill.key))) return;
    this.client.onFailure(this.request, node.downReply);
  }

  onMiss(): void {
    const nil = nullBulk(this.client.kind.protocol);
    this.onReply(nil, 0, nil.length);
  }

  onLeft(): void {
    this.#router.shared.requests.give(this.request);
  }
}

/** The command that reads this key. */
export function readFrame(key: Uint8Array): Buffer {
  return encodeRequest(['GET', key]);
}
