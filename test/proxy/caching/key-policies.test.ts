import { expect, it } from 'vitest';
import { KeyPolicies } from '../../../src/proxy/caching/key-policies.js';
import { SHARDED } from '../../../src/proxy/caching/policy.js';
import { KeyGroups } from '../../../src/proxy/measure/key-groups.js';

const near = { ...SHARDED, cache: 'near' } as const;

it('finds each of its keys wherever it stands, and no other one', () => {
  const keys = Array.from({ length: 256 }, (_, i) => Buffer.from(i === 0 ? '' : `key:${i}`));
  const policies = new KeyPolicies(keys.map((key, i) => ({ key, policy: { ...near, nearTtl: i + 1 } })));
  for (const [i, key] of keys.entries()) {
    const source = Buffer.concat([Buffer.from('GET '), key, Buffer.from(' \r\n')]);
    expect(policies.of(source, 4, 4 + key.length)?.nearTtl).toBe(i + 1);
  }
  for (let i = 256; i < 20_000; i++) {
    const key = Buffer.from(`key:${i}`);
    expect(policies.of(key, 0, key.length)).toBeNull();
  }
  expect(new KeyPolicies([]).of(Buffer.from('x'), 0, 1)).toBeNull();
});

it('say something where groups say nothing', () => {
  const replicated = { ...SHARDED, cache: 'replicated' } as const;
  const groups = new KeyGroups([{ group: 'flags', prefixes: ['flag:'], policy: replicated }]);
  const policyOf = (key: string) => groups.policyOf(Buffer.from(key), 0, key.length);
  groups.useKeys(new KeyPolicies(['flag:1', 'user:1'].map((key) => ({ key: Buffer.from(key), policy: near }))));
  expect(['flag:1', 'user:1', 'user:2'].map(policyOf)).toEqual([replicated, near, null]);
  groups.use([]);
  expect([groups.active, groups.hasPolicies, policyOf('user:1'), policyOf('flag:1')]).toEqual([true, true, near, near]);
  groups.useKeys(null);
  expect([groups.active, groups.hasPolicies, policyOf('user:1')]).toEqual([false, false, null]);
});
