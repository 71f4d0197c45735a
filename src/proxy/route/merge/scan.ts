import { bulkPayload, headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import { visibleKeys } from './concat.js';
import type { Placement } from './placement.js';
import { Scratch } from './scratch.js';

/** What one node has answered to SCAN. */
export interface ScanReply {
  /** Where the node goes on; 0: nowhere. */
  readonly cursor: bigint;
  /** Keys in the reply. */
  readonly count: number;
  /** Those that clients see. */
  readonly visible: number;
  /** These as they stand in the reply, one bulk behind the other. */
  readonly keys: Buffer;
}

/** One reply is read at a time. */
const scratch = new Scratch();

/**
 * @param buffer the reply is `buffer[start, end)`, and no error
 * @param node index of the node that has answered, by the ring of `placement`
 */
export function readScanReply(
  buffer: Buffer,
  start: number,
  end: number,
  placement: Placement,
  node: number,
): ScanReply {
  const cursorStart = lineEnd(buffer, start);
  const keysStart = replyEnd(buffer, cursorStart, end);
  const cursor = bulkPayload(buffer, cursorStart, keysStart)?.toString('latin1') ?? '0';
  scratch.clear();
  const visible = visibleKeys(buffer, keysStart, end, scratch, placement, node);
  const keys = Buffer.from(scratch.buffer.subarray(0, scratch.length));
  return { cursor: BigInt(cursor), count: headerNumber(buffer, keysStart), visible, keys };
}
