/** Ends the script or the function that a node runs, by SCRIPT KILL and FUNCTION KILL. */
import { request as encodeRequest } from '../../../resp/encode.js';
import { NO_KEYS_AT_ALL, type ReplySink, type Request } from '../../request/request.js';
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
  const answers = new EndOfCode(FRAMES.length, onOutcome);
  for (const frame of FRAMES) {
    const request = node.shared.requests.take();
    request.lane = lane;
    request.keys = NO_KEYS_AT_ALL;
    request.sink = answers;
    request.startedAt = node.shared.clock.now;
    lane.outlet.append(frame, 0, frame.length);
    node.counters.bytesOut += frame.length;
    lane.enqueue(request);
  }
}

class EndOfCode implements ReplySink {
  #left: number;
  #outcome: CodeOutcome = 'nothing';
  readonly #onOutcome: (outcome: CodeOutcome) => void;

  constructor(answers: number, onOutcome: (outcome: CodeOutcome) => void) {
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
    request.lane?.node.shared.requests.give(request);
    if (--this.#left === 0) this.#onOutcome(this.#outcome);
  }
}
