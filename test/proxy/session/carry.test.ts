import { beforeEach, describe, expect, it } from 'vitest';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';
import { Carry } from '../../../src/proxy/session/carry.js';

const CHUNK = 262_144;
let large: ChunkPool;
let carry: Carry;

beforeEach(() => {
  large = new ChunkPool(CHUNK, 4);
  carry = new Carry(large);
});

/** What is kept, of which the first `handled` bytes are handled. */
function offered(handled: number): string {
  let text = '';
  carry.offer((buffer, start, end) => {
    text = buffer.toString('latin1', start, end);
    return start + handled;
  });
  return text;
}

describe('a carry', () => {
  it('keeps what comes behind what it has, however little room there is', () => {
    let all = '';
    for (let i = 0; i < 300; i++) {
      const piece = Buffer.from(`<${String(i).repeat(i % 40)}>`);
      carry.keep(piece, 1, piece.length - 1, 0);
      all += piece.toString().slice(1, -1);
    }
    expect(carry.size).toBe(all.length);
    expect(offered(100)).toBe(all);
    expect(offered(0)).toBe(all.slice(100));
  });

  it('is empty when all was handled, and offers nothing then', () => {
    carry.keep(Buffer.from('abc'), 0, 3, 0);
    expect(offered(3)).toBe('abc');
    expect([carry.size, offered(0)]).toEqual([0, '']);
  });

  it('replaces what it has by a part of itself, while that is handled', () => {
    carry.keep(Buffer.from('GET a SET b'), 0, 11, 0);
    carry.offer((buffer, _start, end) => {
      carry.replace(buffer, 6, end);
      return end;
    });
    expect(offered(0)).toBe('SET b');
  });

  it('keeps nothing of what is handled when it was dropped meanwhile', () => {
    carry.keep(Buffer.from('QUIT GET a'), 0, 10, 0);
    carry.offer((_buffer, start) => {
      carry.drop();
      return start + 4;
    });
    expect(carry.size).toBe(0);
  });

  it('takes a pooled chunk for what is large, and gives it back', () => {
    carry.keep(Buffer.alloc(40_000, 'x'), 0, 40_000, 0);
    const chunk = large.take();
    carry.drop();
    const back = large.take();
    expect(back.length).toBe(CHUNK);
    expect(back[39_999]).toBe('x'.charCodeAt(0));
    expect(back).not.toBe(chunk);
  });
});
