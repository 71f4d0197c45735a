/**
 * Symptom: which Sentinels a node has could never be changed, nor a plain node be put behind Sentinels: `ring replace`
 * said that the server was in the ring already.
 */
import { describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/admin/api.js';
import { startRedis } from '../support/redis-process.js';
import { fill, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { MASTER_NAME, startWatched, until, type Watched } from '../support/sentinels.js';

const EXPECTED = [/it keeps its keys/, /node:failover/, /upstream:/];
const KEYS = 400;

/** Writes and reads, in order, until it is ended. @returns what went wrong meanwhile */
function busy(proxy: RingproxyProcess): () => Promise<string[]> {
  const client = proxy.client();
  const wrong: string[] = [];
  let isEnded = false;
  const done = (async () => {
    for (let n = 0; !isEnded; n++) {
      const key = `filler:${n % KEYS}`;
      const [written, read] = await Promise.all(
        [client.set(key, `${n}`), client.get(key)].map((each) => each.catch(String)),
      );
      if (written !== 'OK' || read !== `${n}`) wrong.push(`${key} ${n}: ${written}, ${read}`);
    }
  })();
  return async () => {
    isEnded = true;
    await done;
    return wrong;
  };
}

async function replace(proxy: RingproxyProcess, watched: Watched, address: string, more: object): Promise<void> {
  const [server] = watched.servers;
  if (server === undefined) throw new Error('there is a server');
  const [keys, before] = [await server.client().dbsize(), (await ringOf(proxy)).generation];
  const end = busy(proxy);
  await post(proxy, 'changes', { kind: 'replace', replace: [{ name: 'pair', address }], ...more });
  const ring = await settled(proxy);
  expect(await end()).toEqual([]);
  expect(ring.generation).toBe(before + 1);
  const pair = ring.nodes.find(({ name }) => name === 'pair');
  expect(pair).toMatchObject({ address, state: 'active' });
  expect(await server.client().dbsize()).toBe(keys);
  expect((await proxy.client().keys('filler:*')).length).toBe(KEYS);
  const history = (await (await fetch(`${proxy.admin}/v1/ring/history`)).json()) as HistoryEntry[];
  const told = history.find(({ summary }) => summary === `replace pair by ${address}`);
  expect(told).toMatchObject({ kind: 'replace', keysMoved: 0 });
}

describe.each([1, 2])('a node, %i worker(s)', (workers) => {
  it('is put behind Sentinels, and gets others, where it stands: no key moves', async () => {
    const watched = await startWatched();
    const [server, next] = watched.servers;
    const plain = await startRedis();
    const proxy = await startRingproxy({
      nodes: [`pair=${server?.address}`, `plain=${plain.address}`],
      args: ['--workers', String(workers)],
      allowLog: EXPECTED,
    });
    await fill(proxy, KEYS);
    const by = (count: number): string => {
      const sentinels = watched.sentinels.slice(0, count).map(({ address }) => address);
      return `sentinel://${sentinels.sort().join(',')}/${MASTER_NAME}`;
    };
    await replace(proxy, watched, by(3), {});
    await replace(proxy, watched, by(2), { noDrain: true });
    await watched.failOver();
    await proxy.logged(/"ringproxy:node:failover"/);
    await until(
      async () =>
        (
          await proxy
            .client()
            .keys('filler:*')
            .catch(() => [])
        ).length === KEYS,
    );
    expect(await next?.client().dbsize()).toBe(await server?.client().dbsize());
  });
});
