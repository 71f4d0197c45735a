/**
 * Asks a node whether a key that is watched on a lane was changed, which leaves the watch as it is: CLIENT INFO says `d`
 * among the flags of a connection whose EXEC would fail. A key that has only expired is not told of, nor what a node
 * knows that has no CLIENT INFO: both are found by EXEC itself.
 */
import { MINUS } from '../../../../resp/bytes.js';
import { request as encodeRequest } from '../../../../resp/encode.js';
import type { ReplySink } from '../../../request/reply-sink.js';
import { NO_KEYS_AT_ALL, type Request } from '../../../request/request.js';
import type { RequestPool } from '../../../request/request-pool.js';
import type { Lane } from '../../../upstream/lane.js';

const CLIENT_INFO = Buffer.from(encodeRequest(['CLIENT', 'INFO']));
const CHANGED = / flags=\w*d/;

/** What the node says; `lost`: the lane has ended. */
export type Changed = 'yes' | 'no' | 'lost';

/** @param tell is called once */
export function askWhetherChanged(lane: Lane, requests: RequestPool, tell: (changed: Changed) => void): void {
  lane.ask(CLIENT_INFO, new Answer(requests, tell), NO_KEYS_AT_ALL);
}

class Answer implements ReplySink {
  readonly #requests: RequestPool;
  readonly #tell: (changed: Changed) => void;

  constructor(requests: RequestPool, tell: (changed: Changed) => void) {
    this.#requests = requests;
    this.#tell = tell;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#requests.give(request);
    const isChanged = buffer[start] !== MINUS && CHANGED.test(buffer.toString('latin1', start, end));
    this.#tell(isChanged ? 'yes' : 'no');
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
    this.#tell('lost');
  }
}
