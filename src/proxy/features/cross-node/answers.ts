/** The replies to frames of the proxy's own that were sent in one piece. */
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { Lane } from '../../upstream/lane.js';
import { failedReply } from '../../upstream/lane-end.js';
import { StepFailed } from './step-failed.js';

/**
 * Sends frames one behind the other on this lane.
 * @param command whose steps they are, for whoever looks at what is in flight
 * @param runsCode they run code at the node, which may take long
 * @returns their replies, each whole
 * @throws StepFailed when the connection fails: what then has become of them is unknown
 */
export function askOn(lane: Lane, command: number, frames: readonly Uint8Array[], runsCode = false): Promise<Buffer[]> {
  const { requests } = lane.node.shared;
  // It may have ended between two steps: what is sent there now nobody would ever answer.
  if (lane.closed) return Promise.reject(new StepFailed(failedReply(lane.node, 'lost', 'closed the connection'), true));
  return new Promise((resolve, reject) => {
    new Answers(requests, frames.length, resolve, (reply) => reject(new StepFailed(reply, true))).send(
      lane,
      command,
      frames,
      runsCode,
    );
  });
}

class Answers implements ReplySink {
  readonly #requests: RequestPool;
  readonly #replies: Buffer[];
  readonly #onAll: (replies: Buffer[]) => void;
  readonly #onFailed: (reply: Buffer) => void;
  #remaining: number;

  constructor(
    requests: RequestPool,
    count: number,
    onAll: (replies: Buffer[]) => void,
    onFailed: (reply: Buffer) => void,
  ) {
    this.#requests = requests;
    this.#remaining = count;
    this.#replies = new Array<Buffer>(count);
    this.#onAll = onAll;
    this.#onFailed = onFailed;
  }

  send(lane: Lane, command: number, frames: readonly Uint8Array[], runsCode: boolean): void {
    const { now } = lane.node.shared.clock;
    for (const [part, frame] of frames.entries()) {
      const request = this.#requests.take();
      request.answerTo(this);
      request.part = part;
      request.command = command;
      request.startedAt = now;
      request.runsCode = runsCode;
      lane.send(request, frame, 0, frame.length);
    }
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#replies[request.part] = Buffer.from(buffer.subarray(start, end));
    this.#requests.give(request);
    if (--this.#remaining === 0) this.#onAll(this.#replies);
  }

  onFailure(request: Request, reply: Buffer): void {
    this.#requests.give(request);
    this.#onFailed(reply);
  }
}
