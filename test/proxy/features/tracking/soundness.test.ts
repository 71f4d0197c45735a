/**
 * Clients that cache what they read, while others write, the ring changes, a node is restarted and the table of keys
 * is too small: in the end nobody has kept a value that is not there any more.
 */
import { expect, it } from 'vitest';
import { decodeReply } from '../../../../src/resp/decode.js';
import { request } from '../../../../src/resp/encode.js';
import { RawClient } from '../../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { add, fill, post, settled } from '../../../support/ring-api.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';

const KEYS = Array.from({ length: 60 }, (_, i) => `key:${i}`);
const INVALIDATE = 'invalidate';

/** Keeps what it has read until it is told that it has changed. */
class Cache {
  readonly values = new Map<string, string | null>();
  told = 0;
  readonly #client: RawClient;
  readonly #asked: string[] = [];
  #idle: () => void = () => {};

  constructor(client: RawClient) {
    this.#client = client;
    const take = async (): Promise<void> => {
      for (;;) {
        const [frame] = await client.replies(1);
        this.#onFrame(frame as Buffer);
      }
    };
    take().catch(() => {});
  }

  /** Asks for all these keys at once. Settles when they were answered. */
  read(keys: readonly string[]): Promise<void> {
    this.#asked.push(...keys);
    this.#client.send(Buffer.concat(keys.map((key) => request(['GET', key]))));
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #onFrame(frame: Buffer): void {
    const value = decodeReply(frame)?.value;
    if (frame[0] === 0x3e && Array.isArray(value) && String(value[0]) === INVALIDATE) {
      const keys = value[1];
      this.told++;
      if (Array.isArray(keys)) for (const key of keys) this.values.delete(String(key));
      else this.values.clear();
      return;
    }
    const key = this.#asked.shift() as string;
    if (Buffer.isBuffer(value)) this.values.set(key, value.toString());
    else if (value === null) this.values.set(key, null);
    if (this.#asked.length === 0) this.#idle();
  }
}

it.each([
  ['with a table of keys', [], {}],
  ['with a table that is too small', [], { RINGPROXY_TRACKING_TABLE_MAX_KEYS: '20' }],
  ['with BCAST', ['BCAST'], {}],
  ['with two workers', [], { RINGPROXY_WORKERS: '2' }],
] as const)('%s', { timeout: 60_000 }, async (_title, options, env) => {
  const nodes = await startRedises(4);
  const [, second, , fourth] = nodes as [RedisProcess, RedisProcess, RedisProcess, RedisProcess];
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 3), env, allowLog: [/node2/] });
  await fill(proxy, 300);
  const caches: Cache[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await RawClient.connect(proxy.port);
    await client.command('HELLO', '3');
    await client.command('CLIENT', 'TRACKING', 'ON', ...options);
    caches.push(new Cache(client));
  }
  let running = true;
  const random = (): string => KEYS[Math.floor(Math.random() * KEYS.length)] as string;
  const writers = [0, 1].map(async (writer) => {
    const client = await RawClient.connect(proxy.port);
    for (let n = 0; running; n++) {
      await client.pipeline([
        ['SET', random(), `${writer}:${n}`],
        ['DEL', random()],
        ['SET', random(), `${writer}:${n}`],
      ]);
    }
  });
  const readers = caches.map(async (cache) => {
    while (running) {
      await cache.read([random(), random(), random()]);
      await new Promise(setImmediate);
    }
  });
  await post(proxy, 'changes', add('node4', fourth));
  await settled(proxy);
  await second.restart();
  const prober = await RawClient.connect(proxy.port);
  while ((await prober.text('MGET', ...KEYS)).startsWith('-')) await new Promise((r) => setTimeout(r, 10));
  await post(proxy, 'changes', { kind: 'remove', remove: ['node1'] });
  await settled(proxy);
  running = false;
  await Promise.all([...writers, ...readers]);
  // What was written is told before anything that is written later: a last write to each key tells that all was heard.
  const last = await RawClient.connect(proxy.port);
  const actual = await last.pipeline(KEYS.map((key) => ['GET', key]));
  const stale = (): string[] =>
    caches.flatMap((cache, i) =>
      KEYS.flatMap((key, at) => {
        const cached = cache.values.get(key);
        const value = decodeReply(actual[at] as Buffer)?.value;
        const there = Buffer.isBuffer(value) ? value.toString() : null;
        return cached === undefined || cached === there ? [] : [`client ${i}: ${key} is ${there}, not ${cached}`];
      }),
    );
  for (let tries = 0; tries < 3000 && stale().length > 0; tries++) await new Promise((r) => setTimeout(r, 10));
  expect(stale()).toEqual([]);
  expect(Math.min(...caches.map((cache) => cache.told))).toBeGreaterThan(0);
});
