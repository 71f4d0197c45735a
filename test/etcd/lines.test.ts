import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Lines } from '../../src/etcd/lines.js';

it('lines of a stream are the same, however it is cut into chunks', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify({ text }));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const reader = new Lines();
      const found = at.flatMap((begin, index) => reader.take(bytes.subarray(begin, at[index + 1] ?? bytes.length)));
      expect(found).toEqual(lines);
    }),
  );
});

it('what has not ended yet is no line', () => {
  const reader = new Lines();
  expect(reader.take(Buffer.from('{"result":'))).toEqual([]);
  expect(reader.take(Buffer.from('1}\n\n\n{"re'))).toEqual(['{"result":1}']);
  expect(reader.take(Buffer.from('sult":2}\r\n'))).toEqual(['{"result":2}\r']);
});
