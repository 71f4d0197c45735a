import type { ReplySink } from './reply-sink.js';
import type { Request } from './request.js';
import type { RequestPool } from './request-pool.js';

/** One node's reply of which something else is made before the client has it. */
export abstract class RewrittenReply implements ReplySink {
  readonly #requests: RequestPool;

  constructor(requests: RequestPool) {
    this.#requests = requests;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const rewritten = request.client === null ? null : this.rewrite(buffer, start, end);
    if (rewritten === null) passOn(request, this.#requests, buffer, start, end);
    else if (rewritten instanceof Promise) {
      void rewritten.then((reply) => passOn(request, this.#requests, reply, 0, reply.length));
    } else passOn(request, this.#requests, rewritten, 0, rewritten.length);
  }

  onFailure(request: Request, reply: Buffer): void {
    passOn(request, this.#requests, reply, 0, reply.length);
  }

  /**
   * @returns what the client is answered, or what settles with it (it must not reject); null: what the node has
   * answered, `buffer[start, end)`
   */
  protected abstract rewrite(buffer: Buffer, start: number, end: number): Buffer | Promise<Buffer> | null;
}

/** The reply of `request`, which somebody else was to take first, is its client's after all, if that is still there. */
export function passOn(request: Request, requests: RequestPool, buffer: Buffer, start: number, end: number): void {
  const { client } = request;
  if (client === null) {
    requests.give(request);
    return;
  }
  request.streamTo(client);
  client.onReply(request, buffer, start, end);
}
