/**
 * A master of a followed node that was started again, and promoted before it has followed who served meanwhile, has what is
 * of the past; so has one that is restarted where it serves. Symptom where it serves as it is: clients read values that were
 * written over since, or deleted.
 */
import { expect, it } from 'vitest';
import { atEnd } from '../support/cleanup.js';
import { startFleet, TROUBLE } from '../support/fleet.js';
import type { RedisProcess } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { startWatched, until as untilWithin, type Watched } from '../support/sentinels.js';

const COMMON = `
probe-interval: 100ms
probe-timeout: 1s
connect-timeout: 1s
request-timeout: 1s
reconnect-backoff-max: 50ms
`;
const EMPTYING = `${COMMON}
on-node-failure: eject
eject-after: 1h
`;
const EXPECTED = [/node\/pair/, /node1/, /node:/, /upstream/, /node pair/, /other proxies/, /ringproxy:/];
const KEYS = Array.from({ length: 50 }, (_, i) => `key:${i}`);

/** A busy machine takes its time. */
const until = (holds: () => Promise<boolean>): Promise<void> => untilWithin(holds, 40_000);

/** Has the Sentinel promote this one, which it does not know to have become a replica of anybody. */
async function promote(watched: Watched, server: RedisProcess): Promise<void> {
  await until(async () => {
    await watched.failOver().catch(() => {});
    return (await watched.master()) === server;
  });
}

async function writeAll(proxy: RingproxyProcess, value: string): Promise<void> {
  const client = proxy.client();
  await until(async () => {
    const replies = await Promise.all(KEYS.map((key) => client.set(key, value).catch(() => null)));
    return replies.every((reply) => reply === 'OK');
  });
}

async function valuesOf(proxy: RingproxyProcess): Promise<(string | null)[]> {
  const client = proxy.client();
  const values = await Promise.all(KEYS.map((key) => client.get(key).catch(() => 'error')));
  return [...new Set(values)];
}

/** Reads all the time, and keeps what was read. */
function reading(proxy: RingproxyProcess): { stop(): Promise<Set<string | null>> } {
  const seen = new Set<string | null>();
  let isOver = false;
  const client = proxy.client();
  atEnd(() => {
    isOver = true;
  });
  const done = (async () => {
    while (!isOver) {
      for (const value of await Promise.all(KEYS.map((key) => client.get(key).catch(() => null)))) seen.add(value);
      // A client that is closed answers at once, which would leave the test no turn to end.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await done;
      return seen;
    },
  };
}

async function failovers(proxy: RingproxyProcess, to: RedisProcess): Promise<Record<string, unknown>> {
  return proxy.logged(new RegExp(`"ringproxy:node:failover".*"to":"${to.address}"`));
}

it('a master that may have what is of the past is emptied before it serves', async () => {
  const watched = await startWatched({ sentinels: 1, downAfter: 60_000 });
  const [a, b] = watched.servers as [RedisProcess, RedisProcess];
  const fleet = await startFleet({
    ...{ nodes: 1, inFront: async () => watched.address, proxies: 2, config: EMPTYING },
    allowLog: [...TROUBLE, ...EXPECTED],
  });
  const [proxy, second] = fleet.proxies.map(({ process }) => process) as [RingproxyProcess, RingproxyProcess];
  // Of another ring, which empties nothing.
  const telling = await startRingproxy({ nodes: [`pair=${watched.address}`], config: COMMON, allowLog: EXPECTED });
  await writeAll(proxy, 'old');
  await until(async () => (await b.client().dbsize()) === KEYS.length);
  await a.client().save();
  a.kill('SIGKILL');
  await promote(watched, b);
  expect(await failovers(proxy, b)).toMatchObject({ related: true, emptied: false });
  expect(await valuesOf(proxy)).toEqual(['old']);
  await writeAll(proxy, 'new');

  // Nobody can follow who serves, and the one that was started again is all there is.
  const reads = [proxy, second].map(reading);
  b.kill('SIGSTOP');
  await a.start();
  expect(await a.client().get('key:0')).toBe('old');
  await promote(watched, a);
  for (const each of [proxy, second]) {
    expect(await failovers(each, a)).toMatchObject({ related: false, emptied: true });
    await until(async () => (await valuesOf(each)).join() === '');
  }
  for (const read of reads) expect(await read.stop()).not.toContain('old');
  expect(await failovers(telling, a)).toMatchObject({ related: false, emptied: false });
  const metrics = await (await fetch(`${telling.admin}/metrics`)).text();
  expect(metrics).toContain('ringproxy_node_failovers_unrelated_total{node="pair"} 1');

  // Restarted where it serves, before any Sentinel notices.
  await writeAll(proxy, 'newer');
  await a.client().save();
  await writeAll(proxy, 'newest');
  const more = [proxy, second].map(reading);
  await a.restart();
  for (const each of [proxy, second]) await until(async () => (await valuesOf(each)).join() === '');
  for (const read of more) expect(await read.stop()).not.toContain('newer');

  // One that follows it, and is promoted then, keeps what it has.
  await writeAll(proxy, 'last');
  b.kill('SIGCONT');
  await b.client().call('REPLICAOF', '127.0.0.1', String(a.port));
  await until(async () => (await b.client().info('replication')).includes('master_link_status:up'));
  await until(async () => (await b.client().get('key:49')) === 'last');
  await promote(watched, b);
  const master = async (at: RingproxyProcess): Promise<Record<string, unknown>> => {
    const ring = (await (await fetch(`${at.admin}/v1/ring`)).json()) as {
      nodes: [{ master: Record<string, unknown> }];
    };
    return ring.nodes[0].master;
  };
  for (const each of [proxy, second]) {
    await until(async () => (await master(each)).address === b.address);
    expect(await valuesOf(each)).toEqual(['last']);
    expect(await master(each)).toMatchObject({ failovers: 3, unrelated: 1, emptied: 2 });
  }
});
