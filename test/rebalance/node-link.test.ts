/**
 * Symptom: keys of database 9 were written into database 0 of a node that has four databases. Cause: a link took a
 * SELECT for done that was not answered yet, and what stood behind it went out with it.
 */

import { expect, it, vi } from 'vitest';
import { NodeFailure } from '../../src/node/failure.js';
import { readsOnly } from '../../src/node/standing.js';
import { NodeLink } from '../../src/rebalance/node-link.js';
import { expiryAt } from '../../src/rebalance/times.js';
import { request } from '../../src/resp/encode.js';
import { clockShift } from '../../src/time/monotonic.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

function open(redis: RedisProcess): Promise<NodeLink> {
  const node = { name: 'a', address: redis.address, username: '', password: '' };
  return NodeLink.open(node, { pass: () => readsOnly('test'), connectTimeout: 2000, timeout: 2000, onLate: () => {} });
}

it('lets nothing through behind a SELECT that is refused', async () => {
  const redis = await startRedis({ args: ['--databases', '4'] });
  const link = await open(redis);
  const first = link.exchange([request(['SET', 'in 9', 'x'])], 1, 9);
  const second = link.exchange([request(['SET', 'also in 9', 'x'])], 1, 9);
  const results = await Promise.allSettled([first, second]);
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(NodeFailure) });
    expect(String(result.status === 'rejected' && result.reason)).toContain('refused SELECT 9');
  }
  expect(await redis.client().dbsize()).toBe(0);
});

it('keeps exchanges in different databases apart, however many are under way', async () => {
  const redis = await startRedis();
  const link = await open(redis);
  const writes = Array.from({ length: 200 }, (_, i) => {
    const database = (i * 7) % 5;
    return link.exchange([request(['SET', `key:${i}`, String(database)]), request(['PING'])], 2, database);
  });
  for (const replies of await Promise.all(writes)) expect(replies).toEqual(['OK', 'PONG']);
  for (let database = 0; database < 5; database++) {
    const client = redis.client({ db: database });
    const keys = await client.keys('*');
    expect(keys.length).toBe(40);
    for (const value of await client.mget(...keys)) expect(value).toBe(String(database));
  }
  link.close();
});

it('tells one process of a node from the next, and how its clock goes', async () => {
  const redis = await startRedis();
  const before = await open(redis);
  expect(before.runId).toMatch(/^[0-9a-f]{40}$/);
  expect(Math.abs((before.clockOffset ?? 0) - clockShift())).toBeLessThan(500);
  await redis.restart();
  const after = await open(redis);
  expect(after.runId).not.toBe(before.runId);
  after.close();
});

it('tells the same of two nodes whose clocks go alike, although the clock of the day has jumped in between', async () => {
  const [one, other] = [await startRedis(), await startRedis()];
  const before = await open(one);
  const now = Date.now();
  const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 7_200_000);
  const after = await open(other).finally(() => clock.mockRestore());
  // A key that has an hour to live would be gone.
  expect(expiryAt(before, after, now + 3_600_000)).toBe(now + 3_600_000);
  expect(expiryAt(after, before, now + 3_600_000)).toBe(now + 3_600_000);
  before.close();
  after.close();
});
