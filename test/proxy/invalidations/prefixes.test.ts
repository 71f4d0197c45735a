import { expect, it } from 'vitest';
import { coverOf, overlap } from '../../../src/proxy/invalidations/prefixes.js';

it('a cover has no prefix that begins with another', () => {
  expect(coverOf(['foo', 'bar', 'foobar', 'ba'])).toEqual(['ba', 'foo']);
  expect(coverOf(['foo', '', 'bar'])).toEqual(['']);
  expect(coverOf([])).toEqual([]);
});

it('prefixes overlap when a key can have both', () => {
  expect(overlap('foo', 'foobar')).toBe(true);
  expect(overlap('foobar', 'foo')).toBe(true);
  expect(overlap('', 'x')).toBe(true);
  expect(overlap('foo', 'fob')).toBe(false);
});
