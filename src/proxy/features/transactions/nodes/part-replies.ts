/** How one part of a transaction has ended, by what its node answers. */
import { MINUS } from '../../../../resp/bytes.js';
import type { ReplySink } from '../../../request/reply-sink.js';
import type { Request } from '../../../request/request.js';
import type { RequestPool } from '../../../request/request-pool.js';
import type { Requester } from '../../../request/requester.js';
import { isRun } from '../exec-replies.js';
import { RepliesBefore } from '../replies-before.js';
import type { Part } from './part.js';

export class PartReplies implements ReplySink {
  readonly before: RepliesBefore;
  readonly #exec: Request;
  readonly #part: Part;
  readonly #requests: RequestPool;
  readonly #onEnd: () => void;

  /**
   * @param exec the client's own request
   * @param onEnd called when the part has ended
   */
  constructor(exec: Request, part: Part, requests: RequestPool, onEnd: () => void) {
    // One for MULTI as well.
    this.before = new RepliesBefore(requests, part.count + 1, () => {});
    this.#exec = exec;
    this.#part = part;
    this.#requests = requests;
    this.#onEnd = onEnd;
  }

  get requester(): Requester | null {
    return this.#exec.client;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#requests.give(request);
    const part = this.#part;
    const { refusal } = this.before;
    if (isRun(buffer, start)) part.endRun(Buffer.from(buffer.subarray(start, end)));
    else if (buffer[start] !== MINUS) part.endConflict();
    else part.endRefused(refusal === '' ? buffer.toString('latin1', start + 1, end - 2) : refusal);
    this.#onEnd();
  }

  onFailure(request: Request, reply: Buffer): void {
    this.#requests.give(request);
    this.#part.endFailed(reply);
    this.#onEnd();
  }
}
