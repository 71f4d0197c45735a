import { expect, it } from 'vitest';
import { parseChange } from '../../src/admin/change-request.js';
import { MOST_NODES } from '../../src/config/node-limits.js';

const adds = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `n${i}`, address: `h:${i + 1}` }));

it.each([
  ['add', adds],
  ['remove', (count: number) => adds(count).map(({ name }) => name)],
  ['weights', (count: number) => adds(count).map(({ name }) => ({ name, weight: 2 }))],
  ['replace', adds],
])('more nodes than a ring may have are no change: %s', (part, nodes) => {
  const body = (count: number) => ({ kind: 'apply', [part]: nodes(count) });
  expect(parseChange(body(MOST_NODES))).toMatchObject({ kind: 'apply' });
  expect(() => parseChange(body(MOST_NODES + 1))).toThrow(
    expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringMatching(`${part}: .*${MOST_NODES}`) }),
  );
});
