import { Redis } from 'ioredis';
import Redlock from 'redlock';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

worksThroughTheProxy('redlock', async (proxy) => {
  const redis = new Redis({ port: proxy.port });
  redis.on('error', () => {});
  atEnd(() => redis.disconnect());
  return async (name) => {
    const patient = new Redlock([redis], { retryCount: 200, retryDelay: 5 });
    const impatient = new Redlock([redis], { retryCount: 0 });
    const lock = await impatient.lock(`${name}:lock`, 20_000);
    await expect(impatient.lock(`${name}:lock`, 1000)).rejects.toThrow(/exceeded|attempts/i);
    const extended = await lock.extend(20_000);
    await extended.unlock();
    let inside = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const own = await patient.lock(`${name}:lock`, 20_000);
        expect(++inside).toBe(1);
        await redis.incr(`${name}:work`);
        inside--;
        await own.unlock();
      }),
    );
    expect(await redis.getdel(`${name}:work`)).toBe('8');
  };
});
