/** Real clients with their defaults: redis-cli, redis-benchmark, ioredis and node-redis, in RESP2 and RESP3. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { beforeAll, describe, expect, it } from 'vitest';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';

const run = promisify(execFile);
let proxy: RingproxyProcess;

beforeAll(async () => {
  proxy = await startRingproxy({ nodes: await startRedises(3) });
});

describe('redis-cli', () => {
  const cli = async (...args: string[]): Promise<string> =>
    (await run('redis-cli', ['-p', String(proxy.port), ...args])).stdout;

  it('works, with RESP3 and a database too', async () => {
    expect(await cli('SET', 'a', '1')).toBe('OK\n');
    expect(await cli('GET', 'a')).toBe('1\n');
    expect(await cli('-3', 'GET', 'a')).toBe('1\n');
    expect(await cli('-n', '5', 'SET', 'a', '2')).toBe('OK\n');
    expect(await cli('-n', '5', 'GET', 'a')).toBe('2\n');
    expect(await cli('PING')).toBe('PONG\n');
    expect(await cli('DBSIZE')).toBe('1\n');
  });

  it('--scan and --bigkeys walk the whole ring', async () => {
    await cli('FLUSHALL');
    await cli('MSET', ...Array.from({ length: 500 }, (_, i) => [`cli:${i}`, 'x']).flat());
    expect((await cli('--scan', '--pattern', 'cli:*')).trim().split('\n')).toHaveLength(500);
    expect(await cli('--bigkeys')).toContain('Sampled 500 keys in the keyspace');
  });
});

describe('redis-benchmark', () => {
  it('runs its tests without an error', { timeout: 180_000 }, async () => {
    const tests =
      'ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset';
    for (const depth of ['1', '16']) {
      const { stdout } = await run('redis-benchmark', [
        '-p',
        String(proxy.port),
        '-n',
        '2000',
        '-P',
        depth,
        '-r',
        '1000',
        '-t',
        tests,
        '--csv',
      ]);
      expect(stdout.trim().split('\n').length).toBeGreaterThan(16);
      expect(stdout).not.toMatch(/error/i);
    }
  });
});

describe('ioredis', () => {
  it.each([2, 3] as const)('connects with its ready check and works (RESP%i)', async (protocol) => {
    const redis = new Redis({ port: proxy.port, protocol });
    await redis.flushall();
    await redis.set('k', 'v', 'EX', 100);
    expect(await redis.get('k')).toBe('v');
    expect(await redis.ttl('k')).toBeGreaterThan(90);
    await redis.hset('h', { a: '1', b: '2' });
    expect(await redis.hgetall('h')).toEqual({ a: '1', b: '2' });
    await redis.mset({ x: '1', y: '2', z: '3' });
    expect(await redis.mget('x', 'nope', 'y', 'z')).toEqual(['1', null, '2', '3']);
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.incr(`p${i % 100}`);
    const results = await pipeline.exec();
    expect(results?.every(([error]) => error === null)).toBe(true);
    expect(await redis.get('p7')).toBe('10');
    const keys: string[] = [];
    for await (const batch of redis.scanStream({ match: 'p*', count: 50 })) keys.push(...batch);
    expect(keys).toHaveLength(100);
    redis.disconnect();
  });
});

describe('node-redis', () => {
  it.each([2, 3] as const)('connects with its defaults and works (RESP%i)', async (RESP) => {
    const client = createClient({ socket: { port: proxy.port }, RESP });
    await client.connect();
    await client.flushAll();
    await client.set('k', 'v');
    expect(await client.get('k')).toBe('v');
    await client.hSet('h', { a: '1', b: '2' });
    expect({ ...(await client.hGetAll('h')) }).toEqual({ a: '1', b: '2' });
    expect(await client.mGet(['k', 'nope'])).toEqual(['v', null]);
    await client.zAdd('z', [{ score: 1.5, value: 'm' }]);
    expect(await client.zScore('z', 'm')).toBe(1.5);
    const many = await Promise.all(Array.from({ length: 500 }, (_, i) => client.set(`n${i}`, String(i))));
    expect(many.every((reply) => reply === 'OK')).toBe(true);
    let count = 0;
    for await (const keys of client.scanIterator({ MATCH: 'n*' })) count += keys.length;
    expect(count).toBe(500);
    await client.close();
  });
});
