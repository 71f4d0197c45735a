import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

worksThroughTheProxy('keyv', async (proxy) => {
  const store = new KeyvRedis(`redis://127.0.0.1:${proxy.port}`);
  store.on('error', () => {});
  atEnd(() => store.disconnect(true));
  return async (name) => {
    const cache = new Keyv({ store, namespace: name, throwOnErrors: true });
    const keys = Array.from({ length: 40 }, (_, i) => `key:${i}`);
    await Promise.all(keys.map((key, i) => cache.set(key, { number: i, text: `value ${i}` }, 100_000)));
    expect(await cache.get('key:5')).toEqual({ number: 5, text: 'value 5' });
    expect(await cache.get(keys)).toEqual(keys.map((_, i) => ({ number: i, text: `value ${i}` })));
    expect(await cache.has('key:5')).toBe(true);
    expect(await cache.delete('key:5')).toBe(true);
    expect(await cache.get('key:5')).toBeUndefined();
    const seen = new Set<string>();
    for await (const [key] of cache.iterator?.({}) ?? []) seen.add(String(key));
    expect(seen.size).toBe(39);
    await cache.clear();
    expect(await cache.get('key:6')).toBeUndefined();
  };
});
