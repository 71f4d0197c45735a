// Keyv and cache-manager on @keyv/redis, each with its defaults. Both say nothing when Redis refuses: see `errors`.
import KeyvRedis, { createKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import Keyv from 'keyv';
import { range, step, URL } from './steps.mjs';

const errors = [];
const many = range(30).map((i) => ({ key: `user:${i}`, value: { name: `n${i}`, age: i } }));
const keys = many.map(({ key }) => key);

const keyv = new Keyv(new KeyvRedis(URL));
keyv.on('error', (error) => errors.push(String(error)));
await step('setMany', () => keyv.setMany(many));
await step('setMany with a time to live', () =>
  keyv.setMany(many.map((each) => ({ ...each, key: `ttl:${each.key}`, ttl: 100_000 }))),
);
await step('getMany', () => keyv.getMany([...keys, 'user:none']));
await step('getMany with a time to live', () => keyv.getMany(keys.map((key) => `ttl:${key}`)));
await step('hasMany', () => keyv.hasMany([...keys, 'user:none']));
await step('has', () => Promise.all([keyv.has('user:3'), keyv.has('user:none')]));
await step('deleteMany', () => keyv.deleteMany(keys.slice(0, 10)));
await step('delete', () => Promise.all([keyv.delete('user:11'), keyv.delete('user:none')]));
await step('what is left', () => keyv.getMany(keys));
await step('iterator', async () => {
  const found = new Set();
  for await (const [key] of keyv.iterator()) found.add(key);
  return found;
});

const namespaced = createKeyv(URL, { namespace: 'shop' });
namespaced.on('error', (error) => errors.push(String(error)));
await step('namespaced setMany', () => namespaced.setMany(many));
await step('namespaced getMany', () => namespaced.getMany(keys));
await step('namespaced clear', async () => {
  await namespaced.clear();
  return [await namespaced.getMany(keys), await keyv.get('user:15')];
});

const cache = createCache({ stores: [createKeyv(URL, { namespace: 'cm' })], ttl: 60_000 });
cache.on('set', ({ error }) => error && errors.push(`set: ${error}`));
cache.on('mset', ({ error }) => error && errors.push(`mset: ${error}`));
await step('mset', () => cache.mset(many));
await step('mget', () => cache.mget([...keys, 'user:none']));
await step('mdel', () => cache.mdel(keys.slice(0, 10)));
await step('mget after mdel', () => cache.mget(keys));
await step('wrap', async () => {
  let made = 0;
  const make = () => cache.wrap('wrapped', () => ({ made: ++made }), 50_000);
  return [await make(), await make(), made];
});
await step('wrapped side by side', async () => {
  let made = 0;
  const all = await Promise.all(range(10).map(() => cache.wrap('once', async () => ({ made: ++made }))));
  return [all, made];
});
await step('set, get, del', async () => [
  await cache.set('one', 1),
  await cache.get('one'),
  await cache.del('one'),
  await cache.get('one'),
]);
await step('ttl', async () => typeof (await cache.ttl('user:20')));
await step('clear', async () => [await cache.clear(), await cache.mget(keys)]);
await step('errors', () => errors);
await Promise.all([keyv.disconnect(), namespaced.disconnect(), cache.disconnect()]);
