import { visibleKeys } from './concat.js';
import { bulkPayload, headerNumber, lineEnd, replyEnd } from './held.js';
import { Scratch } from './scratch.js';

/** What one node has answered to SCAN. */
export interface ScanReply {
  /** Where the node goes on; 0: nowhere. */
  readonly cursor: bigint;
  /** Keys in the reply. */
  readonly count: number;
  /** Those that are not the proxy's own. */
  readonly visible: number;
  /** These as they stand in the reply, one bulk behind the other. */
  readonly keys: Buffer;
}

/** One reply is read at a time. */
const scratch = new Scratch();

/** @param buffer the reply is `buffer[start, end)`, and no error */
export function readScanReply(buffer: Buffer, start: number, end: number): ScanReply {
  const cursorStart = lineEnd(buffer, start);
  const keysStart = replyEnd(buffer, cursorStart, end);
  const cursor = bulkPayload(buffer, cursorStart, keysStart)?.toString('latin1') ?? '0';
  scratch.clear();
  const visible = visibleKeys(buffer, keysStart, end, scratch);
  const keys = Buffer.from(scratch.buffer.subarray(0, scratch.length));
  return { cursor: BigInt(cursor), count: headerNumber(buffer, keysStart), visible, keys };
}
