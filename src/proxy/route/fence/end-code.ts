/** Ends the script or the function that a node runs, by SCRIPT KILL and FUNCTION KILL. */
import { request as encodeRequest } from '../../../resp/encode.js';
import type { ReplySink } from '../../request/reply-sink.js';
import { NO_KEYS_AT_ALL, type Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

/**
 * - `ended`: it was told to end, and does.
 * - `endless`: it has written, so Redis does not end it.
 * - `nothing`: no script runs, or the node cannot be asked.
 */
export type CodeOutcome = 'ended' | 'endless' | 'nothing';

const FRAMES = [['SCRIPT', 'KILL'] as const, ['FUNCTION', 'KILL'] as const].map((words) =>
  Buffer.from(encodeRequest(words)),
);
const UNKILLABLE = Buffer.from('-UNKILLABLE');
const PLUS = 0x2b;

/** Asks a node that says it is busy: it answers at once then. */
export function endCode(node: UpstreamNode, onOutcome: (outcome: CodeOutcome) => void): void {
  // A lane that a script holds up is not picked.
  const lane = node.pick({ protocol: 2, database: 0 });
  if (lane === null) {
    onOutcome('nothing');
    return;
  }
  const answers = new EndOfCode(node.shared.requests, FRAMES.length, onOutcome);
  for (const frame of FRAMES) {
    lane.ask(frame, answers, NO_KEYS_AT_ALL);
  }
}

class EndOfCode implements ReplySink {
  readonly #requests: RequestPool;
  #left: number;
  #outcome: CodeOutcome = 'nothing';
  readonly #onOutcome: (outcome: CodeOutcome) => void;

  constructor(requests: RequestPool, answers: number, onOutcome: (outcome: CodeOutcome) => void) {
    this.#requests = requests;
    this.#left = answers;
    this.#onOutcome = onOutcome;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === PLUS) this.#outcome = 'ended';
    else if (
      end - start > UNKILLABLE.length &&
      UNKILLABLE.compare(buffer, start, start + UNKILLABLE.length) === 0 &&
      this.#outcome === 'nothing'
    ) {
      this.#outcome = 'endless';
    }
    this.#end(request);
  }

  onFailure(request: Request): void {
    this.#end(request);
  }

  #end(request: Request): void {
    this.#requests.give(request);
    if (--this.#left === 0) this.#onOutcome(this.#outcome);
  }
}
