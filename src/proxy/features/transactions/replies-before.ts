/** The replies that come before EXEC's: to MULTI, and to each command as it is queued. */
import { MINUS } from '../../../resp/bytes.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';

/** One request stands for all of them: there may be millions. */
export class RepliesBefore implements ReplySink {
  /** The first error of the node to a command that it was to queue; empty: there was none. */
  refusal = '';
  readonly #requests: RequestPool;
  readonly #onRefusal: () => void;
  #left: number;

  /**
   * @param count how many replies there are
   * @param onRefusal called with the first error
   */
  constructor(requests: RequestPool, count: number, onRefusal: () => void) {
    this.#requests = requests;
    this.#left = count;
    this.#onRefusal = onRefusal;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === MINUS && this.refusal === '') {
      this.refusal = buffer.toString('latin1', start + 1, end - 2);
      this.#onRefusal();
    }
    if (--this.#left > 0) request.lane?.expectAgain(request);
    else this.#requests.give(request);
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }
}
