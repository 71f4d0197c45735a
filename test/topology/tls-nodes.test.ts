/** Rings of nodes that speak TLS, served and changed by real proxies. */
import { describe, expect, it } from 'vitest';
import { Authority, type Certificate, hasOpenssl } from '../support/certificates.js';
import { type RedisProcess, type RedisTls, startRedis } from '../support/redis-process.js';
import { fill, fillers, post, settled } from '../support/ring-api.js';
import { type RingproxyOptions, type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { tempFolder } from '../support/temp-folder.js';

const KEYS = 3000;
const LARGE = 6;
/** Above 1 MB: it is moved alone. */
const LARGE_VALUE = Buffer.alloc(1_500_000, 'x');
const EXPECTED = [/upstream:down/, /node:health/];

/** What the tests of this file share; without openssl none of them runs. */
class Pki {
  readonly authority = new Authority('nodes');
  readonly node = this.authority.issue('node', ['serverAuth', 'clientAuth']);
  readonly proxy = this.authority.issue('proxy', ['clientAuth']);

  start(tls: Partial<RedisTls> = {}, args: readonly string[] = []): Promise<RedisProcess> {
    return startRedis({ args, tls: { authority: this.authority, certificate: this.node, authClients: 'yes', ...tls } });
  }

  /** @param by whether all nodes are spoken to by TLS */
  settings(by: 'on' | 'off' = 'on', { certFile, keyFile }: Certificate = this.proxy): string {
    return [
      `node-tls: ${by}`,
      `node-tls-ca: ${this.authority.file}`,
      `node-tls-cert: ${certFile}`,
      `node-tls-key: ${keyFile}`,
      '',
    ].join('\n');
  }
}

const pki = hasOpenssl ? new Pki() : null;

function proxyOf(nodes: readonly (RedisProcess | string)[], more: RingproxyOptions = {}): Promise<RingproxyProcess> {
  return startRingproxy({ nodes, config: pki?.settings() ?? '', allowLog: EXPECTED, ...more });
}

async function fillWithLarge(proxy: RingproxyProcess): Promise<void> {
  await fill(proxy, KEYS);
  for (let i = 0; i < LARGE; i++) await proxy.client().set(`large:${i}`, LARGE_VALUE);
}

async function expectAll(proxy: RingproxyProcess): Promise<void> {
  const client = proxy.client();
  expect(await client.mget(...fillers(KEYS))).toEqual(Array.from({ length: KEYS }, (_, i) => `value of ${i}`));
  for (let i = 0; i < LARGE; i++) expect((await client.getBuffer(`large:${i}`))?.equals(LARGE_VALUE)).toBe(true);
}

/** How often the node has given large keys to others by itself. */
async function migrations(node: RedisProcess): Promise<number> {
  const calls: unknown = await node.client().slowlog('GET', -1);
  return JSON.stringify(calls).match(/"MIGRATE",[^\]]*"large:/g)?.length ?? 0;
}

describe.skipIf(pki === null).each([
  ['one process', []],
  ['two workers', ['--workers', '2']],
])('nodes that speak TLS alone (%s)', (_title, args) => {
  it('serve large values, pipelines, messages, waits and near caches', { timeout: 60_000 }, async () => {
    const nodes = (await Promise.all([pki?.start(), pki?.start()])) as RedisProcess[];
    const config = `${pki?.settings()}key-groups:\n  near: { prefixes: ["near:"], cache: near, near-ttl: 1h }\n`;
    const proxy = await proxyOf(nodes, { args, config });
    const client = proxy.client();

    const huge = Buffer.alloc(20_000_000, 'abcdefgh');
    await client.set('huge', huge);
    expect((await client.getBuffer('huge'))?.equals(huge)).toBe(true);

    const pipeline = client.pipeline();
    for (let i = 0; i < KEYS; i++) pipeline.set(`p:${i}`, i).get(`p:${i}`);
    const answers = (await pipeline.exec()) ?? [];
    expect(
      answers.every(([error], i) => error === null && (i % 2 === 0 || answers[i]?.[1] === String((i - 1) / 2))),
    ).toBe(true);

    const subscriber = proxy.client();
    const heard = new Promise<string>((resolve) => subscriber.on('message', (_channel, text: string) => resolve(text)));
    await subscriber.subscribe('news');
    await client.publish('news', 'hello');
    expect(await heard).toBe('hello');

    const waiting = proxy.client().blpop('list', 0);
    await expect
      .poll(async () =>
        /blocked_clients:[1-9]/.test((await Promise.all(nodes.map((node) => node.client().info('clients')))).join()),
      )
      .toBe(true);
    await client.rpush('list', 'x');
    expect(await waiting).toEqual(['list', 'x']);

    await client.set('near:a', 'first');
    expect(await client.get('near:a')).toBe('first');
    const calls = async (): Promise<number> => {
      const infos = await Promise.all(nodes.map((node) => node.client().info('commandstats')));
      return infos.reduce((sum, info) => sum + Number(/cmdstat_get:calls=(\d+)/.exec(info)?.[1] ?? 0), 0);
    };
    // Until the node tells of its changes, its keys are asked for there.
    await expect
      .poll(async () => {
        const before = await calls();
        await client.get('near:a');
        return (await calls()) - before;
      })
      .toBe(0);
    for (const node of nodes) await node.client().set('near:a', 'second', 'XX');
    await expect.poll(() => client.get('near:a')).toBe('second');
  });

  it('take and give keys with others that do and do not', { timeout: 120_000 }, async () => {
    const [first, second] = (await Promise.all([pki?.start(), pki?.start()])) as [RedisProcess, RedisProcess];
    const plain = await startRedis();
    const proxy = await proxyOf([first, second], { args });
    await fillWithLarge(proxy);
    // TLS → none, none → TLS at another place of the ring.
    await post(proxy, 'changes', { kind: 'add', add: [{ name: 'plain', address: `redis://${plain.address}` }] });
    await settled(proxy);
    expect(await plain.client().dbsize()).toBeGreaterThan(KEYS / 5);
    await expectAll(proxy);
    const third = (await pki?.start({ authClients: 'no' })) as RedisProcess;
    await post(proxy, 'changes', {
      kind: 'replace',
      replace: [{ name: 'plain', address: `rediss://${third.address}` }],
    });
    await settled(proxy);
    expect(await plain.client().dbsize()).toBe(0);
    expect(await third.client().dbsize()).toBeGreaterThan(KEYS / 5);
    await expectAll(proxy);
    await post(proxy, 'changes', { kind: 'remove', remove: ['plain'] });
    await settled(proxy);
    await expectAll(proxy);
    expect((await first.client().dbsize()) + (await second.client().dbsize())).toBe(KEYS + LARGE);
  });
});

describe.skipIf(pki === null)('nodes that speak TLS', () => {
  it('give large keys to each other by themselves where both speak TLS with nodes (tls-cluster), or neither does', async () => {
    // Values that cannot go in pieces: whole ones go by MIGRATE, or through the proxy.
    const args = ['--rename-command', 'GETRANGE', '', '--slowlog-log-slower-than', '0', '--slowlog-max-len', '100000'];
    for (const cluster of [true, false]) {
      const start = () => pki?.start({ cluster }, args) as Promise<RedisProcess>;
      const [first, second, plain] = await Promise.all([start(), start(), startRedis()]);
      const proxy = await proxyOf([first]);
      await fillWithLarge(proxy);
      await post(proxy, 'changes', { kind: 'add', add: [{ name: 'node2', address: second.address }] });
      await settled(proxy);
      const byItself = await migrations(first);
      expect(byItself > 0).toBe(cluster);
      // With a node without TLS it is the other way round.
      const replace = [{ name: 'node1', address: `redis://${plain.address}` }];
      await post(proxy, 'changes', { kind: 'replace', replace });
      await settled(proxy);
      expect((await migrations(first)) > byItself).toBe(!cluster);
      await expectAll(proxy);
      await proxy.stop();
    }
  });

  it('are known by what was said when they joined, also to a proxy that starts anew', async () => {
    const first = await startRedis();
    const second = (await pki?.start({
      certificate: pki.authority.issue('named', ['serverAuth'], { names: 'DNS:redis.internal' }),
    })) as RedisProcess;
    const directory = tempFolder('state');
    const start = () =>
      proxyOf([first], {
        config: pki?.settings('off') ?? '',
        args: ['--state-dir', directory],
        allowLog: [...EXPECTED, /the ring that exists wins/],
      });
    const before = await start();
    await fill(before, KEYS);
    const node = { name: 'node2', address: `rediss://${second.address}` };
    await expect(post(before, 'changes', { kind: 'add', add: [{ ...node, address: second.address }] })).rejects.toThrow(
      /NODE_UNREACHABLE.*speaks TLS only: turn node-tls on/,
    );
    await expect(post(before, 'changes', { kind: 'add', add: [node] })).rejects.toThrow(
      /NODE_UNREACHABLE.*of another name/,
    );
    await post(before, 'changes', { kind: 'add', add: [{ ...node, tlsServerName: 'redis.internal' }] });
    const view = await settled(before);
    expect(view.nodes.map(({ name, address, tls }) => ({ name, address, tls }))).toEqual([
      { name: 'node1', address: first.address, tls: false },
      { name: 'node2', address: second.address, tls: true },
    ]);
    await before.stop();
    const after = await start();
    expect(await after.client().mget(...fillers(KEYS))).toEqual(
      Array.from({ length: KEYS }, (_, i) => `value of ${i}`),
    );
    expect(
      await second
        .client({
          tls: {
            ca: pki?.authority.cert ?? '',
            cert: pki?.node.cert,
            key: pki?.node.key,
            servername: 'redis.internal',
          },
        })
        .dbsize(),
    ).toBeGreaterThan(0);
  });
});
