import { describe, expect, it } from 'vitest';
import { startRedis } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { startWatched, until } from '../support/sentinels.js';

const EXPECTED = [/ringproxy:node:failover/, /ringproxy:upstream:down/, /ringproxy:upstream:impaired/, /moving keys/];
const KEYS = 2000;

describe('a change of the ring', () => {
  it('takes a followed node in, and goes on when that fails over in the middle', async () => {
    const watched = await startWatched();
    const first = await startRedis();
    const proxy = await startRingproxy({ nodes: [`one=${first.address}`], allowLog: EXPECTED });
    const client = proxy.client();
    const keys = Array.from({ length: KEYS }, (_, n) => `key${n}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    const asked = await fetch(`${proxy.admin}/v1/ring/changes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'add', add: [{ name: 'pair', address: watched.address }], throttle: 200 }),
    });
    expect(asked.status).toBe(200);
    const moved = (): Promise<number> => watched.master().then((master) => master.client().dbsize());
    await until(async () => (await moved()) > 100);
    await watched.failOver();
    await proxy.logged(/"ringproxy:node:failover"/);
    await fetch(`${proxy.admin}/v1/ring/changes/current/throttle`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keysPerSecond: 0 }),
    });
    await proxy.logged(/"ringproxy:ring:finished"/);
    // A replica has all that its master was given before it was promoted, or a miss: never another value.
    const values = await Promise.all(keys.map((key) => client.get(key)));
    expect(values.filter((value, n) => value !== null && value !== keys[n])).toEqual([]);
    expect(values.filter((value) => value !== null).length).toBeGreaterThan(KEYS * 0.8);
    const next = watched.servers[1];
    expect(await next?.client().dbsize()).toBeGreaterThan(100);
  });
});
