import { expect, it } from 'vitest';
import { buildCommandTable } from '../../../src/commands/build.js';
import { KeyPolicies } from '../../../src/proxy/caching/key-policies.js';
import { SHARDED } from '../../../src/proxy/caching/policy.js';
import { KeyGroups } from '../../../src/proxy/measure/key-groups.js';
import { request } from '../../../src/resp/encode.js';
import { args, RequestFramer } from '../../../src/resp/request-framer.js';

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

it('concern a command of several keys where one of these has one, and those that may touch any key', () => {
  const groups = new KeyGroups([
    { group: 'pages', prefixes: ['page:'], policy: near },
    { group: 'plain', prefixes: ['plain:'], policy: null },
  ]);
  groups.useKeys(new KeyPolicies([{ key: Buffer.from('hot'), policy: near }]));
  const table = buildCommandTable();
  const framer = new RequestFramer({ maxArgs: 100, maxBulkLength: 1024, maxInlineLength: 1024, authenticated: true });
  const isManaged = (...words: string[]): boolean => {
    const frame = request(words);
    framer.next(frame, 0, frame.length);
    groups.note(table.lookup(frame, args.start[0] as number, args.end[0] as number), framer.argc, frame);
    return groups.isManaged;
  };
  for (const words of [
    ['MGET', 'plain:1', 'other', 'page:1'],
    ['MGET', 'hot', 'plain:1'],
    ['DEL', 'other', 'hot'],
    ['MSET', 'plain:1', 'x', 'page:1', 'x'],
    ['GET', 'page:1'],
    ['FLUSHALL'],
    ['EVAL', 'return 1', '1', 'plain:1'],
    ['RENAME', 'plain:1', 'page:1'],
    ['MGET'],
  ]) {
    expect(isManaged(...words), words.join(' ')).toBe(true);
  }
  for (const words of [
    ['MGET', 'plain:1', 'other', 'pag'],
    ['MSET', 'plain:1', 'page:1', 'other', 'hot'],
    ['EXISTS', 'plain:1'],
    ['GET', 'plain:1'],
  ]) {
    expect(isManaged(...words), words.join(' ')).toBe(false);
  }
});
