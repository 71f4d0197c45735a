import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeKeyGroups } from '../../src/config/key-groups.js';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/settings.js';
import { SHARDED } from '../../src/proxy/caching/policy.js';
import { tempFolder } from '../support/temp-folder.js';

function fromFile(text: string): Config {
  const path = join(tempFolder('key-groups'), 'ringproxy.yaml');
  writeFileSync(path, text);
  return loadConfig({ file: path });
}

function mistakesIn(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes.map(({ message }) => message);
    throw error;
  }
  return [];
}

const EXPECTED = [
  { group: 'sessions', prefixes: ['session:'], policy: null },
  { group: 'pages', prefixes: ['page:', 'html:'], policy: null },
];

describe('key-groups', () => {
  it('are read from the file, the environment and the command line', () => {
    const inFile = fromFile('key-groups:\n  sessions: "session:"\n  pages: ["page:", "html:"]\n');
    expect(inFile.keyGroups).toEqual(EXPECTED);
    const text = 'sessions=session:  pages=page:,html:';
    expect(loadConfig({ env: { RINGPROXY_KEY_GROUPS: text } }).keyGroups).toEqual(EXPECTED);
    expect(loadConfig({ flags: { keyGroups: text } }).keyGroups).toEqual(EXPECTED);
    expect(loadConfig({}).keyGroups).toEqual([]);
    expect(loadConfig({ env: { RINGPROXY_KEY_GROUPS: '' } }).keyGroups).toEqual([]);
    expect(loadConfig({ flags: { keyGroups: 'a=x=1' } }).keyGroups).toEqual([
      { group: 'a', prefixes: ['x=1'], policy: null },
    ]);
  });

  it('say how their keys are cached, in an object with their prefixes', () => {
    const { keyGroups } = fromFile(`
key-groups:
  sessions: "session:"
  pages: { prefixes: ["page:", "html:"], cache: near, near-ttl: 10s }
  thumbs: { prefixes: "thumb:", max-ttl: 7d }
  plain: { prefixes: [p] }
`);
    expect(keyGroups.map(({ policy }) => policy)).toEqual([
      null,
      { ...SHARDED, cache: 'near', nearTtl: 10_000 },
      { ...SHARDED, maxTtl: 7 * 86_400_000 },
      null,
    ]);
    expect(keyGroups[1]?.prefixes).toEqual(['page:', 'html:']);
    // What is written is read as the same.
    expect(fromFile(JSON.stringify({ 'key-groups': writeKeyGroups(keyGroups) })).keyGroups).toEqual(keyGroups);
    const wrong = 'key-groups: { a: { prefixes: a, cache: far, max-tll: 1 }, b: { prefixes: b, stale: 1s } }';
    expect(mistakesIn(() => fromFile(wrong))).toEqual([
      "group a: cache is 'far': expected sharded, near, replicated",
      expect.stringContaining("group a: 'max-tll' is none of prefixes,"),
      'group b: stale is only for cache: near',
    ]);
    expect(mistakesIn(() => fromFile('key-groups: { a: { cache: near } }'))).toEqual([
      expect.stringContaining('expected groups with their prefixes'),
    ]);
  });

  it('are refused with everything that is wrong', () => {
    const text = `
key-groups:
  other: a
  "a b": b
  pages: ["", "${'x'.repeat(129)}", c]
  html: [c]
`;
    expect(mistakesIn(() => fromFile(text))).toEqual([
      "'other' is the group of keys that no prefix fits: choose another name",
      expect.stringContaining("'a b' is not a group"),
      'a prefix of group pages has 0 bytes: expected 1 to 128',
      'a prefix of group pages has 129 bytes: expected 1 to 128',
      "prefix 'c' of group html is one of group pages already",
    ]);
    for (const wrong of ['key-groups: 5', 'key-groups: [a]', 'key-groups: {a: 5}', 'key-groups: {a: []}']) {
      expect(mistakesIn(() => fromFile(wrong))).toEqual([
        expect.stringContaining('expected groups with their prefixes'),
      ]);
    }
    expect(mistakesIn(() => loadConfig({ flags: { keyGroups: 'a=x a=y b' } }))).toEqual([
      "'b' is not GROUP=PREFIX[,PREFIX…]",
      'group a is named twice: give it all its prefixes at once',
    ]);
  });

  it('name the line of what is wrong in the file', () => {
    const text = `listen: 127.0.0.1:6380
key-groups:
  sessions: "s:"
  pages:
    prefixes: ["page:"]
    cache: near
    near-tll: 5s
  thumbs: { prefixes: ["thumb:"],
    default-ttl: 2d, max-ttl: 1d }
  html: ["page:"]
`;
    let wheres: string[] = [];
    try {
      fromFile(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      wheres = error.mistakes.map(({ where }) => where.replace(/^.*ringproxy/, ''));
    }
    expect(wheres).toEqual([
      '.yaml:7 key-groups.pages.near-tll',
      '.yaml:9 key-groups.thumbs.default-ttl',
      '.yaml:10 key-groups.html',
    ]);
  });

  it('are bounded', () => {
    const groups = (count: number): string => Array.from({ length: count }, (_, i) => `g${i}=p${i}:`).join(' ');
    expect(loadConfig({ flags: { keyGroups: groups(32) } }).keyGroups).toHaveLength(32);
    expect(mistakesIn(() => loadConfig({ flags: { keyGroups: groups(33) } }))).toEqual([
      '33 groups: at most 32 are counted',
    ]);
    const prefixes = `a=${Array.from({ length: 129 }, (_, i) => `p${i}:`).join(',')}`;
    expect(mistakesIn(() => loadConfig({ flags: { keyGroups: prefixes } }))).toEqual([
      '129 prefixes: at most 128 in all',
    ]);
  });
});
