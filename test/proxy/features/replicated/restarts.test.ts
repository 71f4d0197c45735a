/** Replicated keys of a proxy that is alone outlive it, where it has a state directory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { canJump, JumpingClock } from '../../../support/jumping-clock.js';
import { type RedisProcess, startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { tempFolder } from '../../../support/temp-folder.js';

const CONFIG = 'key-groups: { flags: { prefixes: ["r:"], cache: replicated } }\n';
const WORKERS = 2;

/** One after the other on the same state directory. */
class Stage {
  readonly file: string;
  readonly #folder = tempFolder('state');
  readonly #nodes: RedisProcess[];
  readonly #env: Record<string, string>;

  constructor(nodes: RedisProcess[], env: Record<string, string>) {
    this.#nodes = nodes;
    this.#env = env;
    this.file = join(this.#folder, 'values.bin');
  }

  static async make(env: Record<string, string> = {}): Promise<Stage> {
    return new Stage(await startRedises(1), env);
  }

  start(...allowLog: RegExp[]): Promise<RingproxyProcess> {
    const args = ['--state-dir', this.#folder, '--workers', String(WORKERS)];
    return startRingproxy({ nodes: this.#nodes, config: CONFIG, args, allowLog, env: this.#env });
  }

  /** The file as it is; empty: there is none. */
  get text(): string {
    try {
      return readFileSync(this.file, 'latin1');
    } catch {
      return '';
    }
  }
}

/** Clients of each worker see the same. */
async function seenBy(proxy: RingproxyProcess, look: (client: Redis) => Promise<unknown>): Promise<unknown[]> {
  const clients = Array.from({ length: 3 * WORKERS }, () => proxy.client());
  const seen = await Promise.all(clients.map(look));
  return [...new Set(seen.map((one) => JSON.stringify(one)))].map((text) => JSON.parse(text));
}

const all = async (client: Redis): Promise<unknown> => [
  await client.mget('r:text', 'r:n', 'r:gone', 'r:short', 'r:late', 'r:lasts'),
  (await client.smembers('r:set')).sort(),
  await client.keys('*').then((keys) => keys.sort()),
];

describe('a proxy with a state directory', () => {
  it('has its replicated keys again from the first command on, whether it was stopped or killed', async () => {
    const stage = await Stage.make();
    let proxy = await stage.start();
    let client = proxy.client();
    await client.mset('r:text', 'hello', 'r:gone', 'x', 'r:late', 'x');
    await client.set('r:short', 'x', 'PX', 50);
    await client.set('r:lasts', 'x', 'EX', 1000);
    await client.incrby('r:n', 41);
    await client.sadd('r:set', 'a', 'b', 'c');
    await client.srem('r:set', 'b');
    await client.del('r:gone');
    expect(await proxy.stop()).toBe(0);

    proxy = await stage.start();
    const keys = ['r:lasts', 'r:late', 'r:n', 'r:set', 'r:text'];
    expect(await seenBy(proxy, all)).toEqual([[['hello', '41', null, null, 'x', 'x'], ['a', 'c'], keys]]);
    client = proxy.client();
    expect(await client.ttl('r:lasts')).toBeGreaterThan(900);
    expect(await client.incr('r:n')).toBe(42);
    await client.del('r:late');
    await client.set('r:last-of-all', 'x');
    // What was written at most five seconds ago is lost, not what is older.
    await expect.poll(() => stage.text).toContain('r:last-of-all');
    proxy.kill('SIGKILL');
    await proxy.child.exited;

    proxy = await stage.start();
    const later = ['r:last-of-all', 'r:lasts', 'r:n', 'r:set', 'r:text'];
    expect(await seenBy(proxy, all)).toEqual([[['hello', '42', null, null, null, 'x'], ['a', 'c'], later]]);
    expect(await proxy.stop()).toBe(0);
    // A file that cannot be used keeps nobody from serving.
    writeFileSync(stage.file, stage.text.slice(1), 'latin1');
    proxy = await stage.start(/does not hold values; it was set aside/);
    expect(await proxy.client().set('r:text', 'x')).toBe('OK');
  });
});

describe.skipIf(!canJump)('replicated keys under a clock that jumps', () => {
  it('end when it says so, also those that come from the file', async () => {
    const clock = new JumpingClock();
    const stage = await Stage.make(clock.env);
    let proxy = await stage.start();
    const client = proxy.client();
    await client.set('r:short', 'x', 'EX', 100);
    await client.set('r:later', 'x', 'EX', 250);
    await client.set('r:long', 'x', 'EX', 10_000);
    await client.incr('r:n');
    const keys = ['r:short', 'r:later', 'r:long', 'r:n'];
    expect(await seenBy(proxy, (one) => one.mget(keys))).toEqual([['x', 'x', 'x', '1']]);
    clock.jump(200);
    await expect.poll(() => seenBy(proxy, (one) => one.mget(keys))).toEqual([[null, 'x', 'x', '1']]);
    expect(await client.ttl('r:long')).toBeLessThan(9900);
    expect(await proxy.stop()).toBe(0);
    clock.jump(300);
    proxy = await stage.start();
    expect(await seenBy(proxy, (one) => one.mget(keys))).toEqual([[null, null, 'x', '1']]);

    // Nor does it come back with the clock; what is written anew stays.
    clock.jump(0);
    expect(await seenBy(proxy, (one) => one.mget(keys))).toEqual([[null, null, 'x', '1']]);
    await proxy.client().set('r:short', 'anew', 'EX', 1000);
    expect(await proxy.stop()).toBe(0);
    proxy = await stage.start();
    expect(await seenBy(proxy, (one) => one.mget(keys))).toEqual([['anew', null, 'x', '1']]);
  });
});
