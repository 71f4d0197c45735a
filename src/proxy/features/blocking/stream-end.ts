/** The newest entry of a stream: what `$` meant to an XREAD that goes on at another node. */
import { request as encodeRequest } from '../../../resp/encode.js';
import type { ReplySink } from '../../request/reply-sink.js';
import type { Request } from '../../request/request.js';
import type { RequestPool } from '../../request/request-pool.js';
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
  lane.ask(frame, new NewestId(node.shared.requests, tell));
}

class NewestId implements ReplySink {
  readonly #requests: RequestPool;
  readonly #tell: (id: Buffer) => void;

  constructor(requests: RequestPool, tell: (id: Buffer) => void) {
    this.#requests = requests;
    this.#tell = tell;
  }

  onReply(request: Request, buffer: Buffer, start: number, end: number): void {
    this.#requests.give(request);
    const at = buffer.indexOf(FIELD, start);
    if (at < 0 || at >= end) {
      this.#tell(NONE);
      return;
    }
    const from = buffer.indexOf(LF, at + FIELD.length) + 1;
    this.#tell(Buffer.from(buffer.subarray(from, buffer.indexOf(CR, from))));
  }

  onFailure(request: Request): void {
    this.#requests.give(request);
  }
}
