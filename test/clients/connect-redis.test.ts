import { RedisStore } from 'connect-redis';
import { Cookie, type SessionData } from 'express-session';
import { createClient } from 'redis';
import { expect } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { worksThroughTheProxy } from './stage.js';

worksThroughTheProxy('connect-redis', async (proxy) => {
  const client = createClient({ url: `redis://127.0.0.1:${proxy.port}` });
  client.on('error', () => {});
  atEnd(() => client.destroy());
  await client.connect();
  return async (name) => {
    const store = new RedisStore({ client, prefix: `${name}:` });
    const session = (user: string): SessionData => {
      const cookie = new Cookie();
      cookie.maxAge = 60_000;
      return Object.assign({ cookie }, { user });
    };
    const ids = Array.from({ length: 30 }, (_, i) => `id-${i}`);
    await Promise.all(ids.map((id) => store.set(id, session(`user of ${id}`))));
    expect(await store.get('id-7')).toMatchObject({ user: 'user of id-7' });
    await store.touch('id-7', session('user of id-7'));
    expect((await store.ids()).sort()).toEqual([...ids].sort());
    expect(await store.length()).toBe(30);
    expect(await store.all()).toHaveLength(30);
    await store.destroy('id-7');
    expect(await store.get('id-7')).toBeNull();
    await store.clear();
    expect(await store.length()).toBe(0);
  };
});
