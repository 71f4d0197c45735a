/** The real nutcracker is the referee: with its options, every key lands on the node where it puts it. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildRingSync } from '../../src/ring/build.js';
import { HASH_NAMES, type HashName } from '../../src/ring/hash.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { freePort } from '../support/free-port.js';
import { startNutcracker } from '../support/nutcracker-process.js';
import { RawClient } from '../support/raw-client.js';
import { type RedisProcess, startRedis, startRedises } from '../support/redis-process.js';

interface Pool {
  readonly name: string;
  readonly hash: HashName;
  readonly hashTag: string;
  readonly servers: readonly { redis: RedisProcess; weight: number; name: string | null }[];
}

const KEYS = 100_000;
const BATCH = 5_000;

/** Keys of all kinds: sequential, binary of every length, with bytes from 128 on, with odd tags. */
function makeKeys(count: number): Buffer[] {
  const odd = ['{a}', 'x{}y', '{', '}', '{{a}}', 'a{b', 'a}b{c}', '{a}{b}', 'pre{tag}post', '{}', '{}{a}'];
  const keys = odd.map((key) => Buffer.from(key));
  for (let i = keys.length; i < count; i++) {
    if (i % 4 === 0) keys.push(Buffer.concat([Buffer.from(`${i}:`), randomBytes(1 + (i % 240))]));
    else if (i % 4 === 1) keys.push(Buffer.from(`{user:${i % 997}}:${i}`));
    else keys.push(Buffer.from(`key:${i}`));
  }
  return keys;
}

let redises: RedisProcess[];
let pools: (Pool & { port: number })[];

beforeAll(async () => {
  redises = await startRedises(4);
  // twemproxy leaves the port out of a point's name when it is memcached's.
  const onMemcachedPort = await startRedis({ port: 11211 });
  const named = (weights: readonly number[]) =>
    redises.map((redis, i) => ({ redis, weight: weights[i] ?? 1, name: `server${i + 1}` }));
  const unnamed = redises.map((redis) => ({ redis, weight: 1, name: null }));
  const hashes = HASH_NAMES.filter((name) => name !== 'murmur3');
  const wanted: Pool[] = [
    ...hashes.map((hash) => ({ name: hash, hash, hashTag: '', servers: unnamed })),
    { name: 'weights', hash: 'fnv1a_64', hashTag: '', servers: named([1, 2, 3, 7]) },
    { name: 'weights_odd', hash: 'md5', hashTag: '', servers: named([3, 3, 5, 1]) },
    { name: 'names', hash: 'murmur', hashTag: '', servers: named([1, 1, 1, 1]) },
    { name: 'tags', hash: 'fnv1a_64', hashTag: '{}', servers: named([1, 1, 1, 1]) },
    { name: 'tags_other', hash: 'crc32a', hashTag: '::', servers: unnamed },
    {
      name: 'port_11211',
      hash: 'fnv1a_64',
      hashTag: '',
      servers: [...unnamed, { redis: onMemcachedPort, weight: 1, name: null }],
    },
  ];
  pools = [];
  for (const pool of wanted) pools.push({ ...pool, port: await freePort() });
  await startNutcracker(
    pools.map((pool) => poolConfig(pool, pool.port)).join(''),
    pools.map((pool) => pool.port),
  );
}, 60_000);

function poolConfig(pool: Pool, port: number): string {
  const servers = pool.servers.map(
    (server) =>
      `   - 127.0.0.1:${server.redis.port}:${server.weight}${server.name === null ? '' : ` ${server.name}`}\n`,
  );
  const tag = pool.hashTag === '' ? '' : `  hash_tag: "${pool.hashTag}"\n`;
  return `${pool.name}:\n  listen: 127.0.0.1:${port}\n  hash: ${pool.hash}\n  distribution: ketama\n  redis: true\n  timeout: 20000\n${tag}  servers:\n${servers.join('')}`;
}

/** The names that twemproxy makes points of. */
function nodesOf(pool: Pool): NodeSpec[] {
  return pool.servers.map(({ redis, weight, name }) => ({
    name: name ?? (redis.port === 11211 ? '127.0.0.1' : redis.address),
    address: redis.address,
    weight,
  }));
}

describe('placement of keys compared with nutcracker', () => {
  it('covers every hash that twemproxy has', () => {
    expect(HASH_NAMES.filter((name) => name !== 'murmur3')).toHaveLength(12);
  });

  it('puts 100,000 keys of each pool where nutcracker puts them', { timeout: 180_000 }, async () => {
    const keys = makeKeys(KEYS);
    for (const pool of pools) {
      for (const { redis } of pool.servers) await redis.client().flushall();
      const proxy = await RawClient.connect(pool.port);
      for (let first = 0; first < keys.length; first += BATCH) {
        await proxy.pipeline(keys.slice(first, first + BATCH).map((key) => ['SET', key, '']));
      }
      proxy.close();
      const ring = buildRingSync(nodesOf(pool), {
        hash: pool.hash,
        distribution: 'ketama',
        hashTag: pool.hashTag,
        vnodes: 160,
        weighting: 'total',
      });
      const expected = pool.servers.map(() => new Set<string>());
      for (const key of keys) expected[ring.ownerOf(key, 0, key.length)]?.add(key.toString('latin1'));
      for (const [index, { redis }] of pool.servers.entries()) {
        const held = (await redis.client().keysBuffer('*')).map((key) => key.toString('latin1'));
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
