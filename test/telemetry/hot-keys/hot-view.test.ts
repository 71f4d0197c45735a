/** How keys, which are bytes, are told; and what a peer's answer may be. */
import { describe, expect, it } from 'vitest';
import type { HotKey, HotReport } from '../../../src/proxy/measure/hot-keys/hot-report.js';
import { mergeHot, shareOfHottest } from '../../../src/proxy/measure/hot-keys/hot-report.js';
import { escapeKey, type HotKeyFacts, hotView } from '../../../src/telemetry/hot-keys/hot-view.js';
import { fromWire, toWire } from '../../../src/telemetry/hot-keys/wire.js';

function hotKey(key: string | Buffer, fields: Partial<HotKey> = {}): HotKey {
  const bytes = Buffer.from(key);
  const rest = { database: 0, group: null, perSecond: 10, reads: 1, near: false };
  return { key: bytes, bytes: bytes.length, ...rest, ...fields };
}

function report(keys: readonly HotKey[], perSecond = 100): HotReport {
  return { perSecond, sampled: perSecond, keys, missing: [] };
}

const FACTS: HotKeyFacts = {
  cacheOf: (group) => (group === 'flags' ? 'replicated' : 'near'),
  nodeOf: () => 'n1',
};

describe('a key', () => {
  it.each([
    ['user:1', 'user:1'],
    ['zwölf 日本', 'zwölf 日本'],
    ['a\\x00', 'a\\\\x00'],
    ['a\r\n\u001b[31m', 'a\\x0d\\x0a\\x1b[31m'],
    ['\u202euser', '\\xe2\\x80\\xaeuser'],
    [Buffer.from([0x61, 0xff, 0x5c, 0x20, 0xc3]), 'a\\xff\\\\ \\xc3'],
    ['', ''],
  ])('%j is told so that it steers no terminal and is no other one', (key, told) => {
    expect(escapeKey(Buffer.from(key))).toBe(told);
  });

  it('of which the end is not known is nowhere', () => {
    const { keys } = hotView(report([hotKey('abc', { bytes: 600 }), hotKey('abc')]), 9, FACTS, []);
    expect(keys.map(({ key, node }) => [key, node])).toEqual([
      ['abc…', null],
      ['abc', 'n1'],
    ]);
  });

  it('is told with how its group is cached: a replicated one is on no node', () => {
    const keys = [null, 'pages', 'flags'].map((group) => hotKey('a', { group }));
    const told = hotView(report(keys), 9, FACTS, []).keys.map(({ cache, node }) => [cache, node]);
    expect(told).toEqual([
      [null, 'n1'],
      ['near', 'n1'],
      ['replicated', null],
    ]);
  });
});

it('adds up what several have seen, and sorts anew', () => {
  const one = report([hotKey('a', { perSecond: 30 }), hotKey('b', { perSecond: 20, reads: 0.5 })]);
  const other = report([
    hotKey('b', { perSecond: 20, reads: 1, near: true }),
    hotKey('a', { database: 1, perSecond: 5 }),
  ]);
  const merged = mergeHot([one, other], 2);
  expect(merged.perSecond).toBe(200);
  expect(merged.keys.map(({ key, perSecond, reads, near }) => [key.toString(), perSecond, reads, near])).toEqual([
    ['b', 40, 0.75, true],
    ['a', 30, 1, false],
  ]);
  expect([shareOfHottest(merged, 1), shareOfHottest(merged, 20), shareOfHottest(report([], 0), 1)]).toEqual([
    0.2, 0.35, 0,
  ]);
});

describe("a peer's answer", () => {
  it('is what it was, whatever the bytes', () => {
    const told = report([hotKey(Buffer.from([0, 255, 10]), { group: 'pages', near: true })]);
    expect(fromWire(JSON.parse(JSON.stringify(toWire(told))))).toEqual(told);
  });

  it.each([
    null,
    [],
    { keys: [] },
    { ...toWire(report([])), perSecond: -1 },
    { ...toWire(report([])), keys: [{ key: '%', bytes: 1, database: 0, perSecond: 1, reads: 1 }] },
    { ...toWire(report([])), keys: [{ key: 'aaaa', bytes: 1, database: 0, perSecond: '1', reads: 1 }] },
    { ...toWire(report([])), keys: Array.from({ length: 2000 }, () => ({ ...hotKey('a'), key: 'aaaa' })) },
  ])('is none if it is %j', (body) => {
    expect(fromWire(body)).toBeNull();
  });
});
