/** The real nutcracker is the referee: with its options, every key lands on the node where it puts it. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../src/resp/encode.js';
import { buildRingSync } from '../../src/ring/build.js';
import { HASH_NAMES, type HashName } from '../../src/ring/hash.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { freePort } from '../support/free-port.js';
import { hasNutcracker, startNutcracker } from '../support/nutcracker-process.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';

interface Server {
  readonly redis: RedisProcess;
  readonly host: string;
  readonly weight: number;
  readonly name: string | null;
}

interface Pool {
  readonly name: string;
  readonly hash: HashName;
  readonly hashTag: string;
  readonly servers: readonly Server[];
  readonly distribution?: 'modula';
}

const KEYS = 100_000;
const BATCH = 5_000;
const LOOPBACK = '127.0.0.1';

/** Keys of all kinds: sequential, binary of 1 to 250 bytes, some of them from 128 on, with odd tags. */
function makeKeys(count: number): Buffer[] {
  const odd = ['{a}', 'x{}y', '{', '}', '{{a}}', 'a{b', 'a}b{c}', '{a}{b}', 'pre{tag}post', '{}', '{}{a}'];
  const keys = odd.map((key) => Buffer.from(key));
  for (let i = keys.length; i < count; i++) {
    if (i % 4 === 0) keys.push(randomBytes(1 + ((i / 4) % 250)));
    else if (i % 4 === 1) keys.push(Buffer.from(`{user:${i % 997}}:${i}`));
    else keys.push(Buffer.from(`key:${i}`));
  }
  return keys;
}

let redises: RedisProcess[];
let pools: (Pool & { port: number })[];

/** twemproxy leaves this port, memcached's, out of a point's name. */
const MEMCACHED_PORT = 11211;

/** An address of this run's own, where the system has all of 127.0.0.0/8: the port cannot be chosen. */
function loopbackAddress(): string {
  return process.platform === 'linux' ? ['127', ...randomBytes(3).map((byte) => 1 + (byte % 254))].join('.') : LOOPBACK;
}

async function startPools(): Promise<void> {
  redises = await startRedises(4);
  const host = loopbackAddress();
  const onMemcachedPort = await startRedis({ port: MEMCACHED_PORT, args: ['--bind', host] });
  const weighted = (weights: readonly number[], withNames: boolean): Server[] =>
    redises.slice(0, weights.length).map((redis, i) => ({
      redis,
      host: LOOPBACK,
      weight: weights[i] ?? 1,
      name: withNames ? `server${i + 1}` : null,
    }));
  const named = (weights: readonly number[]): Server[] => weighted(weights, true);
  const unnamed = weighted([1, 1, 1, 1], false);
  const hashes = HASH_NAMES.filter((name) => name !== 'murmur3');
  const wanted: Pool[] = [
    ...hashes.map((hash) => ({ name: hash, hash, hashTag: '', servers: unnamed })),
    { name: 'weights', hash: 'fnv1a_64', hashTag: '', servers: named([1, 2, 3, 7]) },
    // Here single and double precision disagree about the number of points.
    { name: 'weights_rounded', hash: 'md5', hashTag: '', servers: named([29, 1, 30]) },
    { name: 'weights_unnamed', hash: 'hsieh', hashTag: '', servers: weighted([5, 1, 2, 9], false) },
    { name: 'tags', hash: 'fnv1a_64', hashTag: '{}', servers: named([1, 1, 1, 1]) },
    { name: 'tags_other', hash: 'crc32a', hashTag: '::', servers: unnamed },
    // nutcracker sorts its servers by their names, shorter ones first.
    { name: 'modula', hash: 'fnv1a_64', hashTag: '{}', servers: named([1, 2, 3, 7]), distribution: 'modula' },
    { name: 'modula_unnamed', hash: 'crc16', hashTag: '', servers: unnamed, distribution: 'modula' },
    {
      name: 'modula_sorted',
      hash: 'murmur',
      hashTag: '',
      servers: weighted([3, 1, 1, 2], false).map((server, i) => ({
        ...server,
        name: ['zz', 'a', 'middle', 'b'][i] ?? '',
      })),
      distribution: 'modula',
    },
    {
      name: 'port_11211',
      hash: 'fnv1a_64',
      hashTag: '',
      servers: [...unnamed, { redis: onMemcachedPort, host, weight: 1, name: null }],
    },
  ];
  pools = [];
  for (const pool of wanted) pools.push({ ...pool, port: await freePort() });
  await startNutcracker(
    pools.map((pool) => poolConfig(pool, pool.port)).join(''),
    pools.map((pool) => pool.port),
  );
}

function poolConfig(pool: Pool, port: number): string {
  const servers = pool.servers.map(
    (server) =>
      `   - ${server.host}:${server.redis.port}:${server.weight}${server.name === null ? '' : ` ${server.name}`}\n`,
  );
  const tag = pool.hashTag === '' ? '' : `  hash_tag: "${pool.hashTag}"\n`;
  return `${pool.name}:\n  listen: 127.0.0.1:${port}\n  hash: ${pool.hash}\n  distribution: ${pool.distribution ?? 'ketama'}\n  redis: true\n  timeout: 20000\n${tag}  servers:\n${servers.join('')}`;
}

/** The names that twemproxy makes points of. */
function nodesOf(pool: Pool): NodeSpec[] {
  return pool.servers.map(({ redis, host, weight, name }) => ({
    name: name ?? (redis.port === MEMCACHED_PORT ? host : `${host}:${redis.port}`),
    address: `${host}:${redis.port}`,
    weight,
  }));
}

describe.runIf(hasNutcracker)('placement of keys compared with nutcracker', () => {
  beforeAll(startPools, 60_000);

  it('covers every hash that twemproxy has', () => {
    expect(HASH_NAMES.filter((name) => name !== 'murmur3')).toHaveLength(12);
  });

  it('puts 100,000 keys of each pool where nutcracker puts them', { timeout: 180_000 }, async () => {
    const keys = makeKeys(KEYS);
    const names = keys.map((key) => key.toString('latin1'));
    const batches: Buffer[] = [];
    for (let first = 0; first < keys.length; first += BATCH) {
      batches.push(Buffer.concat(keys.slice(first, first + BATCH).map((key) => request(['SET', key, '']))));
    }
    for (const pool of pools) {
      for (const { redis, host } of pool.servers) await redis.client({ host }).flushall();
      const proxy = await RawClient.connect(pool.port);
      for (const batch of batches) {
        proxy.send(batch);
        await proxy.replies(BATCH);
      }
      proxy.close();
      const ring = buildRingSync(nodesOf(pool), {
        hash: pool.hash,
        distribution: pool.distribution ?? 'ketama',
        hashTag: pool.hashTag,
        vnodes: 160,
        weighting: 'total',
      });
      const expected = pool.servers.map(() => new Set<string>());
      keys.forEach((key, i) => void expected[ring.ownerOf(key, 0, key.length)]?.add(names[i] ?? ''));
      for (const [index, { redis, host }] of pool.servers.entries()) {
        const held = (await redis.client({ host }).keysBuffer('*')).map((key) => key.toString('latin1'));
        const strange = held.filter((key) => expected[index]?.has(key) !== true);
        expect({ pool: pool.name, node: index, keys: held.length, strange: strange.slice(0, 3) }).toEqual({
          pool: pool.name,
          node: index,
          keys: expected[index]?.size,
          strange: [],
        });
      }
    }
  });
});
