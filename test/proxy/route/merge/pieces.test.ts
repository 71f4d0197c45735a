/** A merged array whose parts came in blocks, cut anywhere. */
import { expect, it } from 'vitest';
import { gatherInBlocks } from '../../../../src/proxy/route/merge/blocks.js';
import { PieceCursor } from '../../../../src/proxy/route/merge/piece-cursor.js';
import { Scratch } from '../../../../src/proxy/route/merge/scratch.js';

const REPLY = Buffer.from('*5\r\n$3\r\nabc\r\n$-1\r\n$0\r\n\r\n_\r\n$12\r\n$1\r\nx\r\n\r\n+OK\r\n');
const BULKS = '$3\r\nabc\r\n$-1\r\n$0\r\n\r\n_\r\n$12\r\n$1\r\nx\r\n\r\n+OK\r\n';

function everyPiece(out: Scratch): string {
  const pieces = out.takePieces() ?? [out.buffer.subarray(0, out.length)];
  return Buffer.concat(pieces).toString('latin1');
}

it('bulks are the same wherever their bytes are cut', () => {
  for (let first = 0; first <= REPLY.length; first++) {
    for (let second = first; second <= REPLY.length; second++) {
      const cursor = new PieceCursor([REPLY.subarray(0, first), REPLY.subarray(first, second), REPLY.subarray(second)]);
      const out = new Scratch();
      expect(cursor.readLine()).toBe('*5');
      const found = Array.from({ length: 6 }, () => cursor.giveBulk(out));
      expect(found).toEqual([true, false, true, false, true, null]);
      expect(everyPiece(out)).toBe(BULKS);
    }
  }
});

it('what ends too early, or is no bulk, is told from nil', () => {
  for (const bytes of ['$3\r\nab', '$3', '', ':1\r\n']) {
    expect(new PieceCursor([Buffer.from(bytes)]).giveBulk(new Scratch())).toBeNull();
  }
});

it('a large value is gathered in full blocks, and given on without a copy', () => {
  const value = Buffer.alloc(3_000_000, 'v');
  const bytes = Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 70_001)
    gatherInBlocks(blocks, bytes, at, Math.min(bytes.length, at + 70_001));
  expect(blocks.map(({ length }) => length)).toEqual([1_048_576, 1_048_576, bytes.length - 2 * 1_048_576]);
  const out = new Scratch();
  expect(new PieceCursor(blocks).giveBulk(out)).toBe(true);
  const pieces = out.takePieces() ?? [];
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  expect(pieces.filter((piece) => blocks.some(({ buffer }) => buffer === piece.buffer))).toHaveLength(3);
});
