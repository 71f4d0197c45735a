import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

for (const enableAutoPipelining of [false, true]) {
  worksThroughTheProxy(`ioredis${enableAutoPipelining ? ' with auto pipelining' : ''}`, async (proxy) => {
    const connect = (): Redis => {
      const client = new Redis({ port: proxy.port, enableAutoPipelining });
      client.on('error', () => {});
      atEnd(() => client.disconnect());
      return client;
    };
    const [redis, blocking, subscriber] = [connect(), connect(), connect()];
    redis.defineCommand('bumpBoth', {
      numberOfKeys: 2,
      lua: "return redis.call('INCR', KEYS[1]) + redis.call('INCR', KEYS[2])",
    });
    return async (name) => {
      const key = (suffix: string): string => `{${name}}:${suffix}`;
      await redis.del(key('a'), key('b'), key('queue'), key('hash'));
      await Promise.all(Array.from({ length: 50 }, (_, i) => redis.set(`${name}:${i}`, String(i))));
      expect(await redis.mget(Array.from({ length: 50 }, (_, i) => `${name}:${i}`))).toEqual(
        Array.from({ length: 50 }, (_, i) => String(i)),
      );
      expect(await redis.pipeline().hset(key('hash'), { f: 1, g: 2 }).hgetall(key('hash')).exec()).toEqual([
        [null, 2],
        [null, { f: '1', g: '2' }],
      ]);
      expect(await redis.multi().incr(key('a')).incr(key('b')).get(key('a')).exec()).toEqual([
        [null, 1],
        [null, 1],
        [null, '1'],
      ]);
      expect(await redis.call('EVALSHA', 'f'.repeat(40), 1, key('a')).catch(String)).toMatch(/NOSCRIPT/);
      const { bumpBoth } = redis as Redis & { bumpBoth?: (first: string, second: string) => Promise<number> };
      expect(await bumpBoth?.call(redis, key('a'), key('b'))).toBe(4);
      const popped = blocking.blpop(key('queue'), 10);
      await redis.rpush(key('queue'), 'job');
      expect(await popped).toEqual([key('queue'), 'job']);
      const found = new Set<string>();
      for await (const keys of redis.scanStream({ match: `${name}:*`, count: 1000 })) {
        for (const each of keys as string[]) found.add(each);
      }
      expect(found.size).toBe(50);
      const heard = new Promise((resolve) => subscriber.once('message', (_channel, message) => resolve(message)));
      await subscriber.subscribe(key('channel'));
      expect(await redis.publish(key('channel'), 'hello')).toBe(1);
      expect(await heard).toBe('hello');
      await subscriber.unsubscribe(key('channel'));
    };
  });
}
