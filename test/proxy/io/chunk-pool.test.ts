import { expect, it } from 'vitest';
import { ChunkPool } from '../../../src/proxy/io/chunk-pool.js';

it('lends as many chunks as it keeps, and again what was given back, or is lost', () => {
  const pool = new ChunkPool(64, 2);
  const [one, other] = [pool.borrow(), pool.borrow()];
  if (one === null || other === null) throw new Error('it lends none');
  expect([one.length, other.length, pool.borrow()]).toEqual([64, 64, null]);
  pool.give(one);
  expect(pool.borrow()).toBe(one);
  pool.lose(other);
  const third = pool.borrow();
  expect(third).not.toBe(null);
  expect(third).not.toBe(other);
  expect(pool.borrow()).toBe(null);
});

it('takes what it has not lent, too', () => {
  const pool = new ChunkPool(64, 1);
  expect(pool.borrow()).not.toBe(null);
  pool.give(pool.take());
  expect(pool.borrow()).toBe(null);
});
