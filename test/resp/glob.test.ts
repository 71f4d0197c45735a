import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../src/resp/glob.js';
import { startRedis } from '../support/redis-process.js';

const PATTERNS = [
  ...['', '*', '**', 'a*', '*a', '*a*', 'a*b*c', '?', '??', 'a?c', '*?', '?*'],
  ...[
    '[abc]',
    '[a-c]',
    '[^a]',
    '[^a-c]d',
    '[c-a]',
    '[a-',
    '[a',
    '[',
    '[]',
    '[^]',
    '[]a]',
    '[a-c-e]',
    '[\\]]',
    '[\\^]',
    '[a\\-c]',
  ],
  ...['\\*', '\\?', '\\', 'a\\', '\\\\', '\\[a]', '*\\*', 'a*\\?b', 'a[b*]c', '*[0-9]*'],
];
/** Not the empty one, which Redis 7.0 finds by `*` and not by `**`. */
const TEXTS = [
  ...[
    'a',
    'b',
    'c',
    'd',
    'ab',
    'abc',
    'aXbYc',
    'aaa',
    'bd',
    'ad',
    'dd',
    '*',
    '?',
    '\\',
    '[a]',
    '[a',
    '[',
    ']',
    '^',
    '-',
  ],
  ...['a-c', 'a*c', 'abc*', 'a?b', 'axxc', 'x7y', 'a\\', 'a]', 'e', '[]'],
];

describe('patterns of channels', () => {
  it('match what Redis says that they match', async () => {
    const redis = (await startRedis()).client();
    const script = `
      local found = {}
      for _, text in ipairs(ARGV) do
        redis.call('FLUSHDB')
        redis.call('SET', text, '1')
        for i, pattern in ipairs(KEYS) do
          found[#found + 1] = #redis.call('KEYS', pattern)
        end
      end
      return found`;
    const expected = (await redis.eval(script, PATTERNS.length, ...PATTERNS, ...TEXTS)) as number[];
    const pairs = TEXTS.flatMap((text) => PATTERNS.map((pattern) => ({ pattern, text })));
    const wrong = pairs.filter(
      ({ pattern, text }, i) => matchesGlob(Buffer.from(pattern), Buffer.from(text)) !== (expected[i] === 1),
    );
    expect(wrong).toEqual([]);
  });

  it('with many stars take no exponential time', () => {
    expect(matchesGlob(Buffer.from(`${'*a'.repeat(30)}*b`), Buffer.from('a'.repeat(5000)))).toBe(false);
  });
});
