/** The load generator must see a loss when there is one: otherwise the demo's check proves nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Load } from '../../compose/load/load.js';
import { Versions } from '../../compose/load/versions.js';
import { AcknowledgedWrites } from '../../compose/load/writes.js';
import { atEnd } from '../support/cleanup.js';
import { startRedis } from '../support/redis-process.js';

const KEY = 'page:1';

describe('what was acknowledged', () => {
  it('is lost when a page is not there before it can expire', () => {
    const writes = new AcknowledgedWrites(1000);
    writes.wrote(KEY, 100);
    const known = writes.livesUntil(KEY);
    expect(known).toBe(1100);
    expect(writes.isLost(KEY, known, 1100)).toBe(false);
    expect(writes.isLost(KEY, known, 1099)).toBe(true);
    // The second reader that noticed the same.
    expect(writes.isLost(KEY, known, 1099)).toBe(false);
  });

  it('is not lost when it was not known as the read was sent', () => {
    const writes = new AcknowledgedWrites(1000);
    const known = writes.livesUntil(KEY);
    writes.wrote(KEY, 100);
    expect(writes.isLost(KEY, known, 200)).toBe(false);
  });

  it('is lost, too, when the page was written once more while the read was under way', () => {
    const writes = new AcknowledgedWrites(1000);
    writes.wrote(KEY, 100);
    const known = writes.livesUntil(KEY);
    writes.wrote(KEY, 150);
    expect(writes.isLost(KEY, known, 200)).toBe(true);
    expect(writes.livesUntil(KEY)).toBe(1150);
  });

  it('is lost when a counter does not grow, and that counts once', () => {
    const writes = new AcknowledgedWrites(1000);
    expect(writes.counted('c', writes.countOf('c'), 5)).toBe(true);
    expect(writes.counted('c', writes.countOf('c'), 5)).toBe(false);
    expect(writes.counted('c', writes.countOf('c'), 6)).toBe(true);
  });

  it('is not lost when replies of two connections come in the other order', () => {
    const writes = new AcknowledgedWrites(1000);
    const [first, second] = [writes.countOf('c'), writes.countOf('c')];
    expect(writes.counted('c', second, 2)).toBe(true);
    expect(writes.counted('c', first, 1)).toBe(true);
    expect(writes.countOf('c')).toBe(2);
  });
});

describe('versions', () => {
  it('are stale when an older one is read than was acknowledged before, and not when it was written meanwhile', () => {
    const versions = new Versions();
    expect([versions.begin('a'), versions.begin('a')]).toEqual([1, null]);
    versions.acknowledge('a', 1);
    versions.end('a');
    const known = versions.known('a');
    expect(versions.begin('a')).toBe(2);
    expect(versions.judge('a', known, '1')).toBe('right');
    expect(versions.judge('a', known, '2')).toBe('right');
    versions.acknowledge('a', 2);
    expect(versions.judge('a', known, '1')).toBe('right');
    expect(versions.judge('a', versions.known('a'), '1')).toBe('stale');
    expect(versions.judge('a', versions.known('a'), null)).toBe('missing');
    expect(versions.judge('a', versions.known('a'), '3')).toBe('wrong');
    expect([versions.acknowledged, versions.checked, versions.missing]).toEqual([2, 6, 1]);
  });

  it('of a key that was removed are stale, and its absence is no loss', () => {
    const versions = new Versions();
    versions.begin('a');
    versions.acknowledge('a', 1);
    versions.end('a');
    expect(versions.begin('a', true)).toBe(2);
    expect(versions.judge('a', versions.known('a'), '1')).toBe('right');
    versions.acknowledge('a', 2, true);
    versions.end('a');
    expect(versions.judge('a', versions.known('a'), null)).toBe('missing');
    expect(versions.judge('a', versions.known('a'), '1')).toBe('stale');
    expect(versions.missing).toBe(0);
  });

  it('of a write that failed may be read, and need not', () => {
    const versions = new Versions();
    versions.begin('a');
    versions.end('a');
    expect([versions.judge('a', versions.known('a'), '1'), versions.judge('a', versions.known('a'), null)]).toEqual([
      'right',
      'missing',
    ]);
    expect(versions.checked).toBe(0);
  });
});

describe('the load generator', () => {
  it('notices that a cache was emptied behind its back', async () => {
    const redis = await startRedis();
    const load = new Load({ host: '127.0.0.1', port: redis.port, connections: 4, rate: 0, keys: 200, ttl: 600 });
    load.start();
    atEnd(() => load.stop());
    const client = redis.client();
    while ((await client.dbsize()) < 200) await delay(20);
    expect(load.counts).toMatchObject({ errors: {}, wrong: 0, lost: 0 });
    await client.flushall();
    const deadline = Date.now() + 60_000;
    while (load.counts.lost < 100 && Date.now() < deadline) await delay(20);
    expect(load.counts.lost).toBeGreaterThanOrEqual(100);
  });
});
