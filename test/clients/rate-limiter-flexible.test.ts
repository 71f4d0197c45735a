import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

worksThroughTheProxy('rate-limiter-flexible', async (proxy) => {
  const storeClient = new Redis({ port: proxy.port });
  storeClient.on('error', () => {});
  atEnd(() => storeClient.disconnect());
  return async (name) => {
    const limiter = new RateLimiterRedis({ storeClient, keyPrefix: name, points: 5, duration: 100 });
    const users = Array.from({ length: 10 }, (_, i) => `user:${i}`);
    for (const user of users) {
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => limiter.consume(user)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected' && !(outcome.reason instanceof RateLimiterRes)) throw outcome.reason;
      }
      expect((await limiter.get(user))?.consumedPoints).toBe(8);
      await limiter.delete(user);
      expect(await limiter.get(user)).toBeNull();
    }
  };
});
