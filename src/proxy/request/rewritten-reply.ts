import type { ReplySink, Request } from './request.js';

/** One node's reply of which something else is made before the client has it. */
export abstract class RewrittenReply implements ReplySink {
  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    const rewritten = request.client === null ? null : this.rewrite(request, buffer, start, end);
    if (rewritten === null) pass(request, buffer, start, end);
    else if (rewritten instanceof Promise) void rewritten.then((reply) => pass(request, reply, 0, reply.length));
    else pass(request, rewritten, 0, rewritten.length);
  }

  onFailure(request: Request, reply: Buffer): void {
    pass(request, reply, 0, reply.length);
  }

  /**
   * @returns what the client is answered, or what settles with it (it must not reject); null: what the node has
   * answered, `buffer[start, end)`
   */
  protected abstract rewrite(
    request: Request,
    buffer: Buffer,
    start: number,
    end: number,
  ): Buffer | Promise<Buffer> | null;
}

function pass(request: Request, buffer: Buffer, start: number, end: number): void {
  request.sink = null;
  const { client, lane } = request;
  if (client === null) lane?.node.shared.requests.give(request);
  else client.onReply(request, buffer, start, end);
}
