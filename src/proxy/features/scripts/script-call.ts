import { ClientStream } from '../../request/client-stream.js';
import { type Request, WAITING } from '../../request/request.js';
import type { Requester } from '../../request/requester.js';
import type { Lane } from '../../upstream/lane.js';

const NO_SCRIPT = Buffer.from('-NOSCRIPT No matching script. Please use EVAL.\r\n');
const MINUS = 0x2d;

/** What a call of a script by its digest needs to be sent once more. */
export interface Resendable {
  /** SHA-1 of the script, in lower case. */
  readonly digest: string;
  readonly frame: Buffer;
  readonly lane: Lane;
}

/**
 * Takes the reply to EVALSHA: when the node has lost the script, since somebody flushed its scripts, the script is
 * loaded again and the command sent once more. Otherwise the reply is the client's.
 */
export class ScriptCall extends ClientStream {
  readonly #call: Resendable;
  readonly #reload: (lane: Lane, digest: string) => boolean;

  /** @param reload loads the script on the lane; returns false when nobody knows it any more */
  constructor(client: Requester, call: Resendable, reload: (lane: Lane, digest: string) => boolean) {
    super(client);
    this.#call = call;
    this.#reload = reload;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] !== MINUS || !this.#heal(request, buffer, start)) this.pass(request, buffer, start, end);
  }

  /** @returns whether the request is on its way again, and the error is nobody's */
  #heal(request: Request, reply: Buffer, start: number): boolean {
    const { digest, frame, lane } = this.#call;
    if (lane.closed) return false;
    if (reply.compare(NO_SCRIPT, 0, NO_SCRIPT.length, start, start + NO_SCRIPT.length) !== 0) return false;
    lane.scripts?.delete(digest);
    if (isFollowed(request, lane) || !this.#reload(lane, digest)) return false;
    this.letGo(request);
    lane.send(request, frame, 0, frame.length);
    return true;
  }
}

/** Whether another command of the same client's may be on its way to the node: it would be overtaken. */
function isFollowed(request: Request, lane: Lane): boolean {
  for (let next = request.nextOfClient; next !== null; next = next.nextOfClient) {
    if (next.state === WAITING && (next.lane === lane || next.lane === null)) return true;
  }
  return false;
}
