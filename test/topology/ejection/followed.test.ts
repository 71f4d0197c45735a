/** Ejection of nodes whose master may be another server when they come back. */
import { expect, it } from 'vitest';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { fill, fillers, until } from '../../support/ring-api.js';
import { startRingproxy } from '../../support/ringproxy-process.js';
import { startWatched, until as untilTrue } from '../../support/sentinels.js';

const CONFIG = `
on-node-failure: eject
eject-after: 1s
rejoin-after: 500ms
connect-timeout: 1s
request-timeout: 1s
probe-interval: 100ms
probe-timeout: 1s
probe-failures: 1
`;

async function roleOf(server: RedisProcess): Promise<unknown> {
  const [role] = (await server.client().call('ROLE')) as unknown[];
  return role;
}

it.each([
  ['the same master', 0],
  ['its former replica', 1],
])(
  'a Sentinel’s master that dies with its replica comes back as %s, and nothing old is read',
  async (_, first) => {
    // So short that Sentinels may take a new master for dead before they have connected to it, and promote the other one, which
    // has not followed it: what that has must not be read either.
    const watched = await startWatched({ downAfter: 500 });
    const proxy = await startRingproxy({
      nodes: [`pair=${watched.address}`, ...(await startRedises(2)).map(({ address }, i) => `plain${i}=${address}`)],
      config: CONFIG,
      allowLog: [/pair/, /eject/],
    });
    const client = proxy.client();
    await fill(proxy, 300);
    const former = await watched.master();
    const held = (await former.client().keys('filler:*')).length;
    expect(held).toBeGreaterThan(30);
    const { servers } = watched;
    await untilTrue(async () => (await servers[1]?.client().dbsize()) === held);
    // What both have on their disks is old as soon as the keys are written anew.
    await Promise.all(servers.map((server) => server.client().save()));
    for (const server of servers) server.kill('SIGKILL');
    await until(proxy, ({ nodes, change }) => change === null && nodes.some(({ state }) => state === 'ejected'));
    // What is written anew would be moved over what it has; what is gone would be there again.
    const [kept, gone] = [fillers(300).slice(150), fillers(150)];
    await Promise.all([...kept.map((key) => client.set(key, 'new')), ...gone.map((key) => client.del(key))]);
    const [back, other] = [servers[first], servers[1 - first]];
    if (back === undefined || other === undefined) throw new Error('there are two');
    await back.start();
    await untilTrue(async () => (await watched.master()) === back && (await roleOf(back)) === 'master');
    await other.start();
    await until(proxy, ({ nodes, change }) => change === null && nodes.every(({ state }) => state === 'active'));
    const valuesOf = async (keys: readonly string[]) => {
      // The Sentinels may choose anew meanwhile.
      const read = () => Promise.all(keys.map((key) => client.get(key).catch(() => 'down')));
      let values = await read();
      await untilTrue(async () => {
        if (values.includes('down')) values = await read();
        return !values.includes('down');
      });
      return new Set(values);
    };
    const [ofKept, ofGone] = [await valuesOf(kept), await valuesOf(gone)];
    expect([[...ofKept].filter((value) => value !== null), [...ofGone]]).toEqual([['new'], [null]]);
    // What had moved to a master is lost with it when the Sentinels promote one that has not followed it.
    if (proxy.log.some(({ event }) => event === 'ringproxy:node:emptied')) return;
    expect([...ofKept]).toEqual(['new']);
    const master = await watched.master();
    expect((await master.client().keys('filler:*')).length).toBeGreaterThan(10);
  },
  60_000,
);
