import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';
import type { Fill, Wait } from './fill.js';

/** A read, as it came, that nobody else has the answer to: its client waits until the key is there, and then it is sent again. */
export class ValueWait implements Wait {
  readonly client: ClientConnection;
  readonly since: number;
  readonly fill: Fill;
  readonly #request: Request;
  readonly #requests: RequestPool;
  readonly #frame: Buffer;
  readonly #missing: Buffer;

  /** @param missing what it was answered */
  constructor(
    client: ClientConnection,
    request: Request,
    requests: RequestPool,
    fill: Fill,
    since: number,
    frame: Buffer,
    missing: Buffer,
  ) {
    this.client = client;
    this.since = since;
    this.fill = fill;
    this.#request = request;
    this.#requests = requests;
    this.#frame = frame;
    this.#missing = missing;
    request.misses = null;
    request.lane = null;
  }

  onReply(_buffer: Buffer, _start: number, _end: number, node: UpstreamNode | null): void {
    if (node === null) this.onMiss();
    else this.onLarge(node);
  }

  onLarge(node: UpstreamNode): void {
    const lane = node.pick(this.client.kind);
    if (lane === null) this.client.onFailure(this.#request, node.downReply);
    else lane.send(this.#request, this.#frame, 0, this.#frame.length);
  }

  onMiss(): void {
    this.client.onReply(this.#request, this.#missing, 0, this.#missing.length);
  }

  onLeft(): void {
    this.#requests.give(this.#request);
  }
}
