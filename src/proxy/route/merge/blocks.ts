/** Large replies are kept in blocks: one buffer that grew would be copied again and again, and many small ones cost the collector. */
const BLOCK_BYTES = 1_048_576;

/** Copies `source[start, end)` behind what the blocks hold, each of which but for the last one is full. */
export function gatherInBlocks(blocks: Buffer[], source: Buffer, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const last = blocks.at(-1);
    const room = last === undefined ? 0 : last.buffer.byteLength - last.length;
    if (last === undefined || room === 0) {
      blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES).subarray(0, 0));
      continue;
    }
    const used = last.length;
    const taken = Math.min(room, end - at);
    const grown = Buffer.from(last.buffer, 0, used + taken);
    source.copy(grown, used, at, at + taken);
    blocks[blocks.length - 1] = grown;
    at += taken;
  }
}
