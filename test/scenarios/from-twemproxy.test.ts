/** From twemproxy to ringproxy: what the real nutcracker has put on real nodes is found there, and moves when the ring changes. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importTwemproxy } from '../../src/config/twemproxy.js';
import { freePort } from '../support/free-port.js';
import { hasNutcracker, startNutcracker } from '../support/nutcracker-process.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';
import { add, post, ringOf, settled } from '../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 3000;

interface Filled {
  readonly redises: readonly RedisProcess[];
  readonly config: string;
}

/** Starts nodes and nutcracker before them, and sets keys through it. @param servers the lines of its file */
async function fillThroughTwemproxy(
  directives: readonly string[],
  servers: (redises: readonly RedisProcess[], sockets: readonly string[]) => readonly string[],
): Promise<Filled> {
  const sockets = [0, 1].map((i) => join(tempFolder('socket'), `redis${i}.sock`));
  const redises = [
    ...(await Promise.all(sockets.map((socket) => startRedis({ args: ['--unixsocket', socket] })))),
    ...(await startRedises(2)),
  ];
  const port = await freePort();
  const lines = [
    'pool:',
    `  listen: 127.0.0.1:${port}`,
    '  redis: true',
    ...directives.map((line) => `  ${line}`),
    '  servers:',
  ];
  const file = `${[...lines, ...servers(redises, sockets).map((server) => `   - ${server}`)].join('\n')}\n`;
  const nutcracker = await startNutcracker(file, [port]);
  const client = await RawClient.connect(port);
  for (let first = 0; first < KEYS; first += 500) {
    await client.pipeline(Array.from({ length: 500 }, (_, i) => ['SET', `key:${first + i}`, `value of ${first + i}`]));
  }
  client.close();
  await nutcracker.stop();
  return { redises, config: importTwemproxy(file).yaml };
}

async function countMissing(proxy: RingproxyProcess): Promise<number> {
  const values = await proxy.client().mget(Array.from({ length: KEYS }, (_, i) => `key:${i}`));
  return values.filter((value, i) => value !== `value of ${i}`).length;
}

describe.runIf(hasNutcracker)('a cache that twemproxy filled', () => {
  it.each([
    ['unnamed Unix sockets and weights', ['hash: md5'], true],
    ['modula', ['hash: fnv1a_64', 'distribution: modula'], true],
    ['a huge weight', ['hash: hsieh', 'hash_tag: "{}"'], false],
  ])('is found by ringproxy: %s', async (_what, directives, unix) => {
    const { config } = await fillThroughTwemproxy(directives, (redises, sockets) => {
      const [, , third, fourth] = redises.map((redis) => redis.address);
      if (!unix) return [`${third}:100000`, `${fourth}:1`, `${redises[0]?.address}:20000 ${'n'.repeat(100)}`];
      return [`${sockets[0]}:1`, `${sockets[1]}:3 named`, `${third}:2`, `${fourth}:1 a`];
    });
    const proxy = await startRingproxy({ config });
    expect(await countMissing(proxy)).toBe(0);
  });

  it.each([1, 2])(
    'with modula loses nothing when nodes come and go, nor does SCAN miss a key (%i workers)',
    {
      timeout: 120_000,
    },
    async (workers) => {
      const { config, redises } = await fillThroughTwemproxy(['distribution: modula'], (all) =>
        all.slice(0, 3).map((redis, i) => `${redis.address}:${i + 1}`),
      );
      const proxy = await startRingproxy({ config, args: ['--workers', String(workers)] });
      const client = proxy.client();
      await post(proxy, 'changes', { ...add('late', redises[3]), throttle: 1500 });
      let walks = 0;
      do {
        const found = new Set<string>();
        let cursor = '0';
        do {
          const [next, keys] = await client.scan(cursor, 'COUNT', 50);
          for (const key of keys) found.add(key);
          cursor = next;
        } while (cursor !== '0');
        expect(found.size).toBe(KEYS);
        walks++;
      } while ((await ringOf(proxy)).change !== null);
      expect(walks).toBeGreaterThan(1);
      await settled(proxy);
      expect(await countMissing(proxy)).toBe(0);
      const first = (await ringOf(proxy)).nodes[0]?.name ?? '';
      await post(proxy, 'changes', { kind: 'apply', remove: [first], weights: [{ name: 'late', weight: 2 }] });
      await settled(proxy);
      expect(await countMissing(proxy)).toBe(0);
      expect(await client.dbsize()).toBe(KEYS);
      await post(proxy, 'changes', { ...add('back', redises[0]), throttle: 500 });
      await post(proxy, 'changes/current/cancel');
      await settled(proxy);
      expect(await countMissing(proxy)).toBe(0);
      expect(await client.dbsize()).toBe(KEYS);
    },
  );
});
