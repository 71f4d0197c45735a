import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyReference, policyWords, readPolicy, writePolicy } from '../../src/config/cache-policy.js';
import { SHARDED } from '../../src/proxy/caching/policy.js';

const NEAR = {
  cache: 'near',
  'near-ttl': '10s',
  'fill-wait': '500ms',
  stale: '30s',
  'early-refresh': 'on',
  'default-ttl': '1d',
  'ttl-jitter': '10%',
  'max-ttl': '7d',
  'max-value-bytes': '1mb',
};

const FROM_REPLICAS = { 'read-from': 'replica', 'max-lag': '2s' };

function mistakesIn(what: Readonly<Record<string, unknown>>): readonly string[] {
  const read = readPolicy(what);
  return 'mistakes' in read ? read.mistakes.map(({ message }) => message) : [];
}

describe('the policy of a group', () => {
  it('is read from its words, and written as they were', () => {
    const read = readPolicy(NEAR);
    expect(read).toEqual({
      policy: {
        cache: 'near',
        nearTtl: 10_000,
        fillWait: 500,
        stale: 30_000,
        earlyRefresh: true,
        defaultTtl: 86_400_000,
        ttlJitter: 0.1,
        maxTtl: 604_800_000,
        maxValueBytes: 1_048_576,
        readFrom: 'master',
        maxLag: 1000,
      },
    });
    expect('policy' in read && writePolicy(read.policy)).toEqual(NEAR);
    const replicas = readPolicy(FROM_REPLICAS);
    expect(replicas).toEqual({ policy: { ...SHARDED, readFrom: 'replica', maxLag: 2000 } });
    expect('policy' in replicas && writePolicy(replicas.policy)).toEqual(FROM_REPLICAS);
    expect(Object.keys({ ...NEAR, ...FROM_REPLICAS })).toEqual(policyWords.map(({ word }) => word));
  });

  it('that says nothing beyond what is so anyway is none', () => {
    expect(readPolicy({})).toEqual({ policy: null });
    expect(readPolicy({ cache: 'sharded', 'ttl-jitter': '0%' })).toEqual({ policy: null });
    expect(writePolicy(null)).toEqual({});
    expect(readPolicy({ 'max-ttl': 5 })).toEqual({ policy: { ...SHARDED, maxTtl: 5 } });
  });

  it('is refused with everything that is wrong, by the words that were written', () => {
    expect(mistakesIn({ cache: 'far', 'near-tll': '1s', 'ttl-jitter': '95%', 'max-value-bytes': '1gb' })).toEqual([
      "cache is 'far': expected sharded, near, replicated",
      expect.stringContaining("'near-tll' is none of prefixes, cache, near-ttl"),
      "ttl-jitter is '95%': expected a share, such as 10%, up to 90%",
      "max-value-bytes is '1gb': expected size, up to 512mb",
    ]);
    expect(mistakesIn({ cache: 'near', 'near-ttl': '0' })).toEqual([expect.stringContaining('from 1ms to 1h')]);
  });

  it('is refused when its words contradict each other', () => {
    expect(mistakesIn({ stale: '1s', 'early-refresh': 'on' })).toEqual([
      'stale is only for cache: near',
      'early-refresh is only for cache: near',
    ]);
    expect(mistakesIn({ cache: 'replicated', 'fill-wait': '1s', 'max-ttl': '1h' })).toEqual([
      'fill-wait is not for cache: replicated',
      'max-ttl is not for cache: replicated',
    ]);
    expect(mistakesIn({ cache: 'near', ...FROM_REPLICAS })).toEqual(['read-from is only for cache: sharded']);
    expect(mistakesIn({ 'fill-wait': '1s', ...FROM_REPLICAS })).toEqual(['read-from is not for groups with fill-wait']);
    expect(mistakesIn({ 'max-lag': '2s' })).toEqual(['max-lag is only for read-from: replica']);
    expect(mistakesIn({ ...FROM_REPLICAS, 'max-lag': '100ms' })).toEqual([expect.stringContaining('from 250ms to 1m')]);
    expect(mistakesIn({ 'default-ttl': '2h', 'max-ttl': '1h' })).toEqual(['default-ttl is longer than max-ttl']);
  });
});

it("the documentation's table of policies is that of the words (npm run docs)", () => {
  const page = readFileSync(new URL('../../src/docs/caching-types.md', import.meta.url), 'utf8');
  const table = /<!-- policies:start -->\n([\s\S]*?)\n<!-- policies:end -->/.exec(page)?.[1];
  expect(table).toBe(policyReference());
});
