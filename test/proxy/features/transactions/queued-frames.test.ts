import { expect, it } from 'vitest';
import { QueuedFrames } from '../../../../src/proxy/features/transactions/queued-frames.js';
import { keptHash } from '../../../../src/ring/rings.js';

it('gives back the frames and the keys that were added, of any size', () => {
  const frames = new QueuedFrames();
  const sizes = [1, 0, 5, 1023, 1024, 1025, 3, 70_000, 2_000_000, 7, 1_048_576, 9, 40];
  const added = sizes.map((size, i) => Buffer.alloc(size, 97 + (i % 26)));
  const keys: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (const [i, frame] of added.entries()) {
      const around = Buffer.concat([Buffer.from('xx'), frame, Buffer.from('yy')]);
      frames.add(around, 2, 2 + frame.length);
      for (let k = 0; k < 3 && k < frame.length; k++) {
        const key = frame.subarray(k, Math.min(frame.length, k + 10));
        frames.addKey(k, key.length, keptHash(4_294_967_295 - i));
        keys.push(`${keptHash(4_294_967_295 - i)} ${key}`);
      }
    }
  }
  const all = (): string[] =>
    Array.from({ length: frames.keyCount }, (_, i) => `${frames.hashAt(i)} ${frames.keyAt(i)}`);
  expect(all()).toEqual(keys);
  expect(frames.count).toBe(3 * sizes.length);
  const bytes = 3 * sizes.reduce((sum, size) => sum + size, 0);
  expect(frames.bytes).toBeGreaterThanOrEqual(bytes + 16 * keys.length);
  expect(frames.bytes).toBeLessThanOrEqual(bytes + 32 * keys.length + 64);
  expect(Buffer.concat(frames.take()).equals(Buffer.concat([...added, ...added, ...added]))).toBe(true);
  expect(all()).toEqual(keys);
  frames.clear();
  expect([frames.count, frames.keyCount]).toEqual([0, 0]);
});
