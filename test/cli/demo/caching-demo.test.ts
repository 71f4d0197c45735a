/** What the demo of caching types shows is so: a skewed load that the nodes feel less, and one query instead of hundreds. */
import { expect, it } from 'vitest';
import { ringproxy } from '../run.js';

/** The figures of a row of a table, by the row's name. */
function rowOf(out: string, name: string): number[] {
  const line = out.split('\n').find((candidate) => candidate.startsWith(name)) ?? '';
  const words =
    line
      .slice(name.length)
      .replaceAll(',', '')
      .match(/[\d.]+/g) ?? [];
  return words.map(Number);
}

it('the demo of caching types takes load off the nodes, and most queries off the origin', async () => {
  const { code, out, err } = await ringproxy(['demo', '--caching']);
  expect(err).toBe('');
  const [sharded, near] = [rowOf(out, 'sharded'), rowOf(out, 'near')];
  expect(sharded[sharded.length - 1], out).toBe(0);
  // Pages are drawn by Zipf's law: the 1,000 most popular of 20,000 are read four times in five.
  expect(near[near.length - 1], out).toBeGreaterThan(60);
  const [alone, waiting] = [rowOf(out, 'all ask'), rowOf(out, 'wait for the first')];
  expect(alone[0], out).toBe(200);
  expect(waiting[0], out).toBe(1);
  // Nobody went without the page.
  expect([alone[2], waiting[2]]).toEqual([0, 0]);
  expect(code).toBe(0);
});
