import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastingBytes } from '../../src/resp/words.js';
import { tagEnd, tagStart } from '../../src/ring/hash-tag.js';

/** The bytes that are hashed: the tag's content, or the whole key. */
function hashed(key: string, tag = '{}'): string {
  // Bytes around the key must not be looked at, even if they are a tag's.
  const bytes = Buffer.from(`${tag}${key}${tag}`, 'latin1');
  const found = hashedOf(bytes, tag);
  const lasting = lastingBytes(bytes.length);
  lasting.set(bytes);
  // By words as by bytes.
  expect(hashedOf(lasting, tag)).toBe(found);
  return found;
}

function hashedOf(bytes: Buffer, tag: string): string {
  const end = bytes.length - tag.length;
  const from = tagStart(bytes, tag.length, end, tag.charCodeAt(0));
  const to = from < 0 ? -1 : tagEnd(bytes, from, end, tag.charCodeAt(1));
  return bytes.toString('latin1', to < 0 ? tag.length : from, to < 0 ? end : to);
}

describe('hash tags', () => {
  it.each([
    ['plain', '{}', 'plain'],
    ['{user}:1', '{}', 'user'],
    ['a{user}b', '{}', 'user'],
    ['{}user', '{}', '{}user'],
    // Redis Cluster looks no further than the first tag, even if it is empty.
    ['{}{user}', '{}', '{}{user}'],
    ['{{a}}', '{}', '{a'],
    ['x}{y}', '{}', 'y'],
    ['{a}{b}', '{}', 'a'],
    ['a{b', '{}', 'a{b'],
    ['{', '{}', '{'],
    ['', '{}', ''],
    ['a:b:c', '::', 'b'],
    ['a::b:', '::', 'a::b:'],
    ['a:b', '::', 'a:b'],
    ['$id#', '$#', 'id'],
  ])('of %j with the tag %j: %j is hashed', (key, tag, expected) => {
    expect(hashed(key, tag)).toBe(expected);
  });

  it('are found as a plain search of strings finds them', () => {
    const key = fc
      .array(fc.constantFrom('{', '}', 'a', 'b', ':', '\x7a', '\xfb'), { maxLength: 12 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(key, fc.constantFrom('{}', '::', 'ab', '}{'), (text, tag) => {
        const open = text.indexOf(tag.charAt(0));
        const close = open < 0 ? -1 : text.indexOf(tag.charAt(1), open + 1);
        expect(hashed(text, tag)).toBe(close > open + 1 ? text.slice(open + 1, close) : text);
      }),
      { numRuns: 2000 },
    );
  });
});
