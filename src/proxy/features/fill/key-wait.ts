import { request as encodeRequest, nullBulk } from '../../../resp/encode.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill, Wait } from './fill.js';

/** A read of one key: its request stands in its client's queue, and nowhere else. */
export class KeyWait implements Wait {
  readonly client: ClientConnection;
  readonly since: number;
  readonly #request: Request;
  readonly #requests: RequestPool;
  readonly fill: Fill;

  constructor(client: ClientConnection, request: Request, requests: RequestPool, fill: Fill, since: number) {
    this.client = client;
    this.since = since;
    this.#request = request;
    this.#requests = requests;
    this.fill = fill;
    request.misses = null;
    request.lane = null;
  }

  onReply(buffer: Buffer, start: number, end: number): void {
    this.client.onReply(this.#request, buffer, start, end);
  }

  onLarge(node: UpstreamNode): void {
    const { kind } = this.client;
    const lane = node.pick(kind);
    if (lane === null) {
      this.client.onFailure(this.#request, node.downReply);
      return;
    }
    const frame = readFrame(this.fill.key);
    lane.send(this.#request, frame, 0, frame.length);
  }

  onMiss(): void {
    const nil = nullBulk(this.client.kind.protocol);
    this.onReply(nil, 0, nil.length);
  }

  onLeft(): void {
    this.#requests.give(this.#request);
  }
}

/** The command that reads this key. */
export function readFrame(key: Uint8Array): Buffer {
  return encodeRequest(['GET', key]);
}
