import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettledKeys } from '../../src/rebalance/settled-keys.js';

const has = (settled: SettledKeys, source: number, database: number, key: Buffer): boolean =>
  settled.has(source, database, key, 0, key.length);

describe('the memory of settled keys', () => {
  it('knows exactly what it was told, by source, database and bytes', () => {
    const entry = fc.tuple(fc.nat(3), fc.nat(2), fc.uint8Array({ maxLength: 12 }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 400 }), fc.array(entry, { maxLength: 100 }), (told, others) => {
        const settled = new SettledKeys();
        const model = new Set<string>();
        for (const [source, database, bytes] of told) {
          settled.add(source, database, bytes);
          model.add(`${source} ${database} ${Buffer.from(bytes).toString('hex')}`);
        }
        for (const [source, database, bytes] of [...told, ...others]) {
          const key = Buffer.from(bytes);
          expect(has(settled, source, database, key)).toBe(model.has(`${source} ${database} ${key.toString('hex')}`));
        }
      }),
    );
  });

  it('reads a key where it stands in a larger buffer', () => {
    const settled = new SettledKeys();
    settled.add(1, 0, Buffer.from('key'));
    expect(settled.has(1, 0, Buffer.from('a key here'), 2, 5)).toBe(true);
    expect(settled.has(1, 0, Buffer.from('a key here'), 2, 6)).toBe(false);
  });

  // 65,536 entries of 16 bytes fill a slab of a mebibyte to its last byte.
  it.each([9, 10, 11])('goes on when its memory is filled to the last byte, with keys of %i bytes', (length) => {
    const settled = new SettledKeys();
    const key = (i: number): Buffer => Buffer.from(i.toString(36).padStart(length, '0'));
    for (let i = 0; i < 140_000; i++) settled.add(0, 0, key(i));
    for (let i = 0; i < 140_000; i += 13) expect(has(settled, 0, 0, key(i))).toBe(true);
    expect(has(settled, 0, 0, key(140_000))).toBe(false);
  });

  it('keeps a million keys apart', () => {
    const settled = new SettledKeys();
    for (let i = 0; i < 1_000_000; i++) settled.add(0, 0, Buffer.from(`key:${i * 2}`));
    let wrong = 0;
    for (let i = 0; i < 1_000_000; i += 7) if (has(settled, 0, 0, Buffer.from(`key:${i}`)) !== (i % 2 === 0)) wrong++;
    expect(wrong).toBe(0);
  });

  it('forgets rather than growing without a bound, and never makes a key up', () => {
    const settled = new SettledKeys();
    const filler = 'x'.repeat(4000);
    for (let i = 0; i < 40_000; i++) settled.add(0, 0, Buffer.from(`${i}:${filler}`));
    expect(has(settled, 0, 0, Buffer.from(`0:${filler}`))).toBe(false);
    expect(has(settled, 0, 0, Buffer.from(`39999:${filler}`))).toBe(true);
    expect(has(settled, 0, 0, Buffer.from(`40000:${filler}`))).toBe(false);
  });

  it('knows a swept source as a whole', () => {
    const settled = new SettledKeys();
    settled.addSource(2);
    expect(has(settled, 2, 5, Buffer.from('anything'))).toBe(true);
    expect(has(settled, 1, 5, Buffer.from('anything'))).toBe(false);
  });
});
