import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastingBytes } from '../../src/resp/words.js';
import { buildRingSync } from '../../src/ring/build.js';
import { DEFAULT_RING_OPTIONS, type Ring } from '../../src/ring/ring.js';
import { Rings } from '../../src/ring/rings.js';
import { tagMistakes } from '../../src/ring/tag-mistakes.js';
import { readTagPattern } from '../../src/ring/tag-pattern.js';

const ringWith = (hashTags: readonly string[], hashTag = '{}'): Ring =>
  buildRingSync([{ name: 'a', address: 'a:1', weight: 1 }], { ...DEFAULT_RING_OPTIONS, vnodes: 4, hashTag, hashTags });
const PLAIN = ringWith([], '');

/** Bytes around the key must not be looked at, even if a pattern would go on with them. */
function hashOf(ring: Ring, key: string, before = '', behind = ':{}:x'): number {
  const bytes = Buffer.from(`${before}${key}${behind}`);
  const [start, end] = [Buffer.byteLength(before), Buffer.byteLength(`${before}${key}`)];
  const hash = ring.hashOf(bytes, start, end);
  const lasting = lastingBytes(bytes.length);
  lasting.set(bytes);
  expect(ring.hashOf(lasting, start, end)).toBe(hash);
  return hash;
}

const hashOfText = (text: string): number => hashOf(PLAIN, text, '', '');

describe('of a key without a hash tag', () => {
  it.each([
    ['bull:{*}:', 'bull:mail:wait', 'mail'],
    ['bull:{*}:', 'bull:mail:', 'mail'],
    ['bull:{*}:', 'bull:mail', 'bull:mail'],
    ['bull:{*}:', 'bull::wait', 'bull::wait'],
    ['bull:{*}:', 'bull:', 'bull:'],
    ['bull:{*}:', 'bul', 'bul'],
    ['bull:{*}:', '', ''],
    ['bull:{*}:', 'x:bull:mail:wait', 'x:bull:mail:wait'],
    ['b_{*}_', 'b_limiter_settings', 'limiter'],
    ['user:{*}', 'user:42', '42'],
    ['user:{*}', 'user:', 'user:'],
    ['{*}:', 'tenant:user:1', 'tenant'],
    ['{*}:', ':user', ':user'],
    ['{*}::', 'a:b::c', 'a:b'],
    ['{resque:}', 'resque:queue:mail', 'resque:'],
    ['{resque:}', 'resque:', 'resque:'],
    ['{resque:}', 'resque', 'resque'],
    ['app:{jobs}:', 'app:jobs:1', 'jobs'],
    ['app:{jobs}:', 'app:jobs2', 'app:jobs2'],
    ['größe:{*}:', 'größe:ä:1', 'ä'],
    ['größe:{maß}', 'größe:maß:1', 'maß'],
    // Its own hash tag wins, but an empty one is none.
    ['bull:{*}:', 'bull:mail:{tag}', 'tag'],
    ['bull:{*}:', 'bull:mail:{}', 'mail'],
  ])('%j lets of %j be hashed: %j', (pattern, key, hashed) => {
    expect(hashOf(ringWith([pattern]), key)).toBe(hashOfText(hashed));
    expect(hashOf(ringWith([pattern]), key, 'bull:x:', '')).toBe(hashOfText(hashed));
  });

  it('the first pattern counts that matches', () => {
    const ring = ringWith(['user:{*}:', 'user:{*}', '{us}']);
    expect(hashOf(ring, 'user:42:cart')).toBe(hashOfText('42'));
    expect(hashOf(ring, 'user:42')).toBe(hashOfText('42'));
    expect(hashOf(ring, 'user:')).toBe(hashOfText('us'));
    expect(hashOf(ring, 'other')).toBe(hashOfText('other'));
  });

  it('they count where the ring has no hash tag at all', () => {
    expect(hashOf(ringWith(['bull:{*}:'], ''), 'bull:mail:{x}')).toBe(hashOfText('mail'));
  });

  it('a key is placed as if the braces stood in it, whatever it looks like', () => {
    const text = fc.array(fc.constantFrom('a', 'b', ':', '_', '\xfb'), { maxLength: 6 }).map((parts) => parts.join(''));
    const pattern = fc.tuple(text, fc.option(text.filter((part) => part !== '')), text);
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), text, text, (patterns, one, other) => {
        const written = patterns.map(([before, inside, behind]) => `${before}{${inside ?? '*'}}${behind}`);
        const usable = written.filter((each) => typeof readTagPattern(each) !== 'string');
        const key = `${patterns[0]?.[0] ?? ''}${one}${patterns[0]?.[2] ?? ''}${other}`;
        expect(hashOf(ringWith(usable), key)).toBe(hashOfText(hashedOf(usable, key)));
      }),
      { numRuns: 3000 },
    );
  });

  it('rings in other processes hash alike', () => {
    const { nodes } = PLAIN;
    const parts = structuredClone(new Rings(ringWith(['bull:{*}:']), null).parts);
    const key = Buffer.from('bull:mail:wait');
    expect(Rings.of(nodes, parts).hashOf(key, 0, key.length) >>> 0).toBe(hashOfText('mail'));
  });
});

/** What is hashed, as plain expressions find it. */
function hashedOf(patterns: readonly string[], key: string): string {
  for (const pattern of patterns) {
    const [before = '', inside = '', behind = ''] = pattern.split(/[{}]/);
    if (inside !== '*') {
      if (key.startsWith(`${before}${inside}${behind}`)) return inside;
      continue;
    }
    const rest = key.startsWith(before) ? key.slice(before.length) : '';
    const length = behind === '' ? rest.length : rest.indexOf(behind);
    if (length > 0) return rest.slice(0, length);
  }
  return key;
}

describe('what is no pattern says why', () => {
  it.each([
    ['', /needs braces/],
    ['bull:', /needs braces around what is hashed, such as bull:\{\*}: or \{bull:}/],
    ['bull:{*', /not closed/],
    ['bull:*}', /not closed, or not opened/],
    ['bull:}{', /not closed, or not opened/],
    ['{a}{b}', /more than one pair/],
    ['{{a}}', /more than one pair/],
    ['bull:{}:', /nothing between its braces/],
    ['bull:*:{*}', /literal/],
    ['bull:{a*}', /literal/],
    ['{*}', /says nothing/],
    [`{${'x'.repeat(128)}}`, /longer than 128/],
  ])('%j', (text, why) => {
    expect(readTagPattern(text)).toMatch(why);
  });
});

describe('a pattern that never counts is a mistake', () => {
  it.each([
    [['bull:{*}:', 'bull:{*}:'], 1],
    [['{bull}', 'bull:{*}:'], 1],
    [['user:{*}', 'user:{*}:'], 1],
    [['user:{*}', 'user:x{*}:'], 1],
    [['user:{*}', '{user:x}'], 1],
    [['{*}:', 'bull:{*}:'], 1],
    [['{*}:', '{bull:}'], 1],
    [['a{*}::', 'a::b{*}:', '{a}', 'a{*}'], 3],
    [['a{*}:', 'ax{*}::'], 1],
  ] as const)('%j', (patterns, index) => {
    expect(tagMistakes(patterns, '{}')).toEqual([
      { index, message: expect.stringMatching(/never counts.*stands first/) },
    ]);
  });

  it.each([
    [['bull:{*}:', '{bull:}']],
    [['user:{*}:', 'user:{*}']],
    [['user:{*}', '{user:}']],
    [['{*}:', ':{*}:']],
    [['a{*}:', 'a{*}::']],
    [['bull:{*}:', 'bee:{*}:', 'b_{*}_', '{resque:}']],
  ] as const)('and %j is none', (patterns) => {
    expect(tagMistakes(patterns, '{}')).toEqual([]);
  });

  it('also one whose keys have a hash tag of their own', () => {
    expect(tagMistakes(['b:{*}:', 'c_{*}'], '::')).toEqual([
      { index: 0, message: expect.stringMatching(/of their own/) },
    ]);
  });

  it('as keys tell: none that it names is ever the first to match', () => {
    const text = fc.array(fc.constantFrom('a', ':'), { maxLength: 3 }).map((parts) => parts.join(''));
    const pattern = fc
      .tuple(text, fc.option(text), text)
      .map(([before, inside, behind]) => `${before}{${inside ?? '*'}}${behind}`)
      .filter((each) => typeof readTagPattern(each) !== 'string');
    const key = fc.array(fc.constantFrom('a', ':'), { maxLength: 9 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, pattern, key, (one, other, name) => {
        if (tagMistakes([one, other], '').length === 0 || hashedOf([other], name) === name) return;
        expect(hashedOf([one, other], name)).toBe(hashedOf([one], name));
        expect(matches(one, name)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});

function matches(pattern: string, key: string): boolean {
  const [before = '', inside = '', behind = ''] = pattern.split(/[{}]/);
  if (inside !== '*') return key.startsWith(`${before}${inside}${behind}`);
  const rest = key.startsWith(before) ? key.slice(before.length) : '';
  return (behind === '' ? rest.length : rest.indexOf(behind)) > 0;
}
