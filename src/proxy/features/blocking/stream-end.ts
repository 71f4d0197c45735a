/** The newest entry of a stream: what `$` meant to an XREAD that goes on at another node. */
import { request as encodeRequest } from '../../../resp/encode.js';
import type { ReplySink, Request } from '../../request/request.js';
import type { LaneKind } from '../../upstream/lane-kind.js';
import type { UpstreamNode } from '../../upstream/upstream-node.js';

const FIELD = Buffer.from('$17\r\nlast-generated-id\r\n');
const LF = 0x0a;
const CR = 0x0d;
/** Of a stream that does not exist. */
const NONE = Buffer.from('0-0');

/**
 * Asks for it while an XREAD still waits: had there been an entry since it began, it would not wait any more.
 * @param tell is called with the id, before the replies to what is sent on this connection behind the question
 */
export function askNewestId(node: UpstreamNode, kind: LaneKind, key: Buffer, tell: (id: Buffer) => void): void {
  const lane = node.pick(kind);
  if (lane === null) return;
  const frame = encodeRequest(['XINFO', 'STREAM', key]);
  const request = node.shared.requests.take();
  request.lane = lane;
  request.sink = new NewestId(tell);
  request.startedAt = node.shared.clock.now;
  lane.outlet.append(frame, 0, frame.length);
  node.counters.bytesOut += frame.length;
  lane.enqueue(request);
}

class NewestId implements ReplySink {
  readonly #tell: (id: Buffer) => void;

  constructor(tell: (id: Buffer) => void) {
    this.#tell = tell;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    request.lane?.node.shared.requests.give(request);
    const at = buffer.indexOf(FIELD, start);
    if (at < 0 || at >= end) {
      this.#tell(NONE);
      return;
    }
    const from = buffer.indexOf(LF, at + FIELD.length) + 1;
    this.#tell(Buffer.from(buffer.subarray(from, buffer.indexOf(CR, from))));
  }

  onFailure(request: Request): void {
    request.lane?.node.shared.requests.give(request);
  }
}
