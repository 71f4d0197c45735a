/** Memory that is freed too late piles up by the gigabyte; what others share must not be freed at all. */
import { expect, it } from 'vitest';
import { Chunks } from '../../../src/proxy/io/chunk.js';
import { canFreeBytes, freeBytes } from '../../../src/proxy/io/free-bytes.js';
import { HoldPool } from '../../../src/proxy/request/hold.js';
import { RequestPool } from '../../../src/proxy/request/request-pool.js';

it('frees memory of its own, wherever Node.js can', () => {
  const bytes = Buffer.allocUnsafeSlow(10_000);
  freeBytes(bytes);
  expect(bytes.length).toBe(canFreeBytes ? 0 : 10_000);
  expect(canFreeBytes).toBe(Number(process.versions.node.split('.')[0]) >= 22);
});

it('leaves alone what is a part of more', () => {
  const whole = Buffer.alloc(10_000, 1);
  freeBytes(whole.subarray(0, 9_999));
  const shared = new Uint8Array(new SharedArrayBuffer(100));
  freeBytes(shared);
  expect([whole.length, shared.length]).toEqual([10_000, 100]);
});

it.runIf(canFreeBytes)('a chunk beyond the spare ones is freed', () => {
  const chunks = new Chunks(1024, 1);
  const [first, second] = [chunks.take(), chunks.take()];
  chunks.give(first);
  chunks.give(second);
  expect([first.bytes.length, second.bytes.length]).toEqual([1024, 0]);
  expect(chunks.take()).toBe(first);
});

it.runIf(canFreeBytes)(
  'a large reply that was held is freed with its request, a small one is in memory that is used again',
  () => {
    const holds = new HoldPool();
    const requests = new RequestPool();
    for (const [length, left] of [
      [20_000, 0],
      [100, 65_536],
    ] as const) {
      const request = requests.take();
      holds.hold(request, Buffer.alloc(length), 0, length);
      const held = request.held?.buffer;
      holds.release(request);
      expect(held?.length).toBe(left);
    }
  },
);
