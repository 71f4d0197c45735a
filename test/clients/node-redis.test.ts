import { createClient, RESP_TYPES } from 'redis';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

for (const RESP of [2, 3] as const) {
  worksThroughTheProxy(`node-redis with RESP${RESP}`, async (proxy) => {
    const connect = async () => {
      const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, RESP });
      client.on('error', () => {});
      atEnd(() => client.destroy());
      await client.connect();
      return client;
    };
    const [redis, blocking, subscriber] = [await connect(), await connect(), await connect()];
    return async (name) => {
      const key = (suffix: string): string => `{${name}}:${suffix}`;
      await redis.del([key('a'), key('queue'), key('hash'), key('zset')]);
      await Promise.all(Array.from({ length: 50 }, (_, i) => redis.set(`${name}:${i}`, String(i), { EX: 100 })));
      expect(await redis.mGet([`${name}:1`, `${name}:none`, `${name}:49`])).toEqual(['1', null, '49']);
      await redis.hSet(key('hash'), { f: '1', g: '2' });
      expect({ ...(await redis.hGetAll(key('hash'))) }).toEqual({ f: '1', g: '2' });
      await redis.zAdd(key('zset'), { score: 1.5, value: 'm' });
      expect(await redis.zScore(key('zset'), 'm')).toBe(1.5);
      expect(await redis.multi().incr(key('a')).incr(key('a')).exec()).toEqual([1, 2]);
      expect(await redis.eval('return {KEYS[1], ARGV[1]}', { keys: [key('a')], arguments: ['x'] })).toEqual([
        key('a'),
        'x',
      ]);
      const popped = blocking.blPop(key('queue'), 10);
      await redis.rPush(key('queue'), 'job');
      expect({ ...(await popped) }).toEqual({ key: key('queue'), element: 'job' });
      const found = new Set<string>();
      for await (const keys of redis.scanIterator({ MATCH: `${name}:*`, COUNT: 1000 })) {
        for (const each of keys) found.add(each);
      }
      expect(found.size).toBe(50);
      const heard = new Promise<string>(
        (resolve) =>
          void subscriber.subscribe(key('channel'), resolve).then(() => redis.publish(key('channel'), 'hello')),
      );
      expect(await heard).toBe('hello');
      await subscriber.unsubscribe(key('channel'));
      const binary = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      expect(await binary.get(`${name}:7`)).toEqual(Buffer.from('7'));
    };
  });
}
