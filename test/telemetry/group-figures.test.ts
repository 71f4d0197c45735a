import { describe, expect, it } from 'vitest';
import { type GroupFigures, mergeFigures, noFigures } from '../../src/proxy/measure/group-figures.js';
import { figuresFrom } from '../../src/telemetry/group-figures-wire.js';

function figures(group: string, fields: Partial<GroupFigures> = {}): GroupFigures {
  return { ...noFigures(group), ...fields };
}

describe('what proxies have counted of groups of keys', () => {
  it('is put together by group; what is replicated is the same at each', () => {
    const fills = noFigures('').fills;
    const one = figures('pages', {
      ...{ calls: 1, errors: 2, hits: 3, misses: 4, nearHits: 5, nearMisses: 6, nearEntries: 7, nearBytes: 8 },
      ...{ replicatedKeys: 9, replicatedBytes: 10, perSecond: 0.5, fills: { ...fills, first: 1 } },
    });
    const other = { ...one, replicatedKeys: 8, fills: { ...fills, first: 2, left: 1 } };
    const frozen = JSON.stringify([one, other]);
    expect(mergeFigures([[one, figures('other')], [other], [figures('pages')]])).toEqual([
      figures('pages', {
        ...{ calls: 2, errors: 4, hits: 6, misses: 8, nearHits: 10, nearMisses: 12, nearEntries: 14, nearBytes: 16 },
        ...{ replicatedKeys: 9, replicatedBytes: 10, perSecond: 1, fills: { ...fills, first: 3, left: 1 } },
      }),
      figures('other'),
    ]);
    expect(JSON.stringify([one, other])).toBe(frozen);
  });

  it('is told to others as it is, and nothing else is taken for it', () => {
    const told = [figures('pages', { calls: 1, perSecond: 1.5 }), figures('other')];
    expect(figuresFrom(JSON.parse(JSON.stringify(told)))).toEqual(told);
    // Of a version that knows other outcomes.
    expect(figuresFrom([{ ...figures('pages'), fills: { first: 1, 'of-tomorrow': 2 } }])?.[0]?.fills).toEqual({
      ...noFigures('').fills,
      first: 1,
    });
    for (const body of [null, {}, 'x', [{}], [{ ...figures('a'), calls: -1 }], [{ ...figures('a'), hits: null }]]) {
      expect([body, figuresFrom(body)]).toEqual([body, null]);
    }
  });
});
