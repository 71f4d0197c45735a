import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_MATCH, PrefixMatcher } from '../../../src/proxy/measure/prefix-matcher.js';

function matcherOf(prefixes: readonly (string | Uint8Array)[]): (key: string | Uint8Array) => number {
  const matcher = new PrefixMatcher(prefixes.map((prefix, value) => ({ bytes: Buffer.from(prefix), value })));
  return (key) => {
    const bytes = Buffer.from(key);
    return matcher.find(bytes, 0, bytes.length);
  };
}

describe('the prefix matcher', () => {
  it('takes the longest prefix, and a key that is one', () => {
    const find = matcherOf(['user:', 'user:admin:', 'u', 'page:']);
    expect(find('user:1')).toBe(0);
    expect(find('user:admin:1')).toBe(1);
    expect(find('user:admin')).toBe(0);
    expect(find('user')).toBe(2);
    expect(find('page:')).toBe(3);
    for (const key of ['', 'page', 'x', 'xuser:1']) expect(find(key)).toBe(NO_MATCH);
  });

  it('looks at no byte outside of the key', () => {
    const matcher = new PrefixMatcher([{ bytes: Buffer.from('ab'), value: 7 }]);
    const source = Buffer.from('xxabxx');
    expect(matcher.find(source, 2, 4)).toBe(7);
    expect(matcher.find(source, 2, 3)).toBe(NO_MATCH);
    expect(matcher.find(source, 1, 4)).toBe(NO_MATCH);
  });

  it('finds nothing where there are no prefixes', () => {
    expect(matcherOf([])('key')).toBe(NO_MATCH);
  });

  it('finds what a comparison with each prefix finds', () => {
    // Few different bytes, so that prefixes begin alike; 0 and 255 are among them.
    const bytes = fc
      .array(fc.constantFrom(0, 0x3a, 0x61, 0x62, 0xff), { minLength: 1, maxLength: 6 })
      .map((values) => Buffer.from(values));
    const prefixes = fc.uniqueArray(bytes, { maxLength: 20, selector: (value) => value.toString('hex') });
    fc.assert(
      fc.property(prefixes, fc.array(bytes, { minLength: 1, maxLength: 20 }), (known, keys) => {
        const find = matcherOf(known);
        for (const key of [...keys, ...known, ...known.map((prefix) => Buffer.concat([prefix, prefix]))]) {
          let longest = NO_MATCH;
          known.forEach((prefix, value) => {
            if (key.subarray(0, prefix.length).compare(prefix) !== 0) return;
            if (longest === NO_MATCH || prefix.length > (known[longest]?.length ?? 0)) longest = value;
          });
          expect(find(key)).toBe(longest);
        }
      }),
      { numRuns: 500 },
    );
  });
});
