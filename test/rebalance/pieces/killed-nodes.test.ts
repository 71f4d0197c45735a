/**
 * Nodes are killed with -9 while a large value leaves them, or comes to them, in pieces. They write down all that they
 * answer, so what lacks in the end the mover has lost. Meanwhile clients go on writing to such values.
 */
import { expect, it } from 'vitest';
import type { RingView } from '../../../src/admin/api.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { RESTRICTED_LOGIN } from '../../support/restricted-node.js';
import { add, ownersOf, post, settled, until } from '../../support/ring-api.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';

/** What was answered is in the file, however the process ends; so is the proxy's user. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'no', '--auto-aof-rewrite-percentage', '0'];
const SETTINGS = `${RESTRICTED_LOGIN}probe-interval: 100ms\nreconnect-backoff-max: 200ms\n`;
const EXPECTED = [
  ...[/upstream:(?:down|up|impaired)/, /node:health/, /waits/, /were dropped/, /was restarted/, /functions/, /paused/],
];
const ELEMENTS = 25_000;
const BATCH = 2500;
const TYPES = ['hash', 'set', 'zset', 'list', 'stream', 'text'] as const;
type Type = (typeof TYPES)[number];

/** One of each type that moves when the second node joins. */
async function movingKeys(proxy: RingproxyProcess, nodes: readonly RedisProcess[]): Promise<Map<Type, string>> {
  await post(proxy, 'changes', add('node2', nodes[1]));
  await settled(proxy);
  const names = TYPES.flatMap((type) => Array.from({ length: 20 }, (_, i) => `${type}:${i}`));
  const owners = await ownersOf(proxy, names);
  await post(proxy, 'changes', { kind: 'remove', remove: ['node2'] });
  await settled(proxy);
  const moving = names.filter((_name, i) => owners[i] === nodes[1]?.address);
  return new Map(TYPES.map((type) => [type, moving.find((name) => name.startsWith(type)) ?? '']));
}

async function fill(proxy: RingproxyProcess, keys: ReadonlyMap<Type, string>): Promise<void> {
  const client = proxy.client();
  const of = (type: Type): string => keys.get(type) ?? '';
  for (let from = 0; from < ELEMENTS; from += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, i) => from + i);
    const entries = client.pipeline();
    for (const n of numbers) entries.xadd(of('stream'), `1-${n + 1}`, 'n', n);
    await Promise.all([
      client.hset(of('hash'), ...numbers.flatMap((n) => [`field:${n}`, n])),
      client.sadd(of('set'), ...numbers.map((n) => `member:number ${n}`)),
      client.zadd(of('zset'), ...numbers.flatMap((n) => [n, `member:number ${n}`])),
      client.rpush(of('list'), ...numbers.map((n) => `element:${n}`)),
      entries.exec(),
    ]);
  }
  await client.set(of('text'), Buffer.alloc(8_000_000, 'a text that is long '));
}

/** Adds one element after the other to a hash or a list. What failed may be there, or not. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly attempted = new Set<string>();
  #goesOn = true;
  readonly #done: Promise<void>;

  constructor(port: number, words: (element: string) => [string, string, ...string[]]) {
    this.#done = this.#write(port, words);
  }

  end(): Promise<void> {
    this.#goesOn = false;
    return this.#done;
  }

  async #write(port: number, words: (element: string) => [string, string, ...string[]]): Promise<void> {
    const client = await RawClient.connect(port);
    for (let n = 0; this.#goesOn; n++) {
      const element = `written:${n}`;
      this.attempted.add(element);
      if ((await client.text(...words(element))).startsWith(':')) this.acknowledged.push(element);
    }
    client.close();
  }

  expectAmong(found: readonly string[]): void {
    const there = new Set(found);
    expect(this.acknowledged.filter((element) => !there.has(element))).toEqual([]);
    expect(found.filter((element) => !this.attempted.has(element))).toEqual([]);
    expect(there.size).toBe(found.length);
  }
}

const isWithin = ({ change }: RingView): boolean => change?.sources.some(({ largeKey }) => largeKey !== null) === true;

it('a large value that moves outlives its nodes, whichever is killed, and the change goes on by itself', async () => {
  const user = ['--user', 'proxied', 'on', '>secret', '~*', '&*', '+@all', '-eval', '-migrate', '-config'];
  const nodes = await startRedises(2, { args: [...DURABLE, ...user, '--enable-debug-command', 'yes'] });
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 1), config: SETTINGS, allowLog: EXPECTED });
  const keys = await movingKeys(proxy, nodes);
  await fill(proxy, keys);
  const [hash = '', list = ''] = [keys.get('hash'), keys.get('list')];
  const others = [...keys.values()].filter((key) => key !== hash && key !== list);
  const digests = async (): Promise<string[]> => {
    const found = await Promise.all(
      nodes.map((node) => Promise.all(others.map((key) => node.client().call('DEBUG', 'DIGEST-VALUE', key)))),
    );
    // Of a key that a node does not have it is zeros.
    return others.map((_key, i) =>
      found
        .map((of) => String(of[i]))
        .join()
        .replaceAll(/^0{40},|,0{40}$/g, ''),
    );
  };
  const before = await digests();
  const fields = new Writer(proxy.port, (element) => ['HSET', hash, element, '']);
  const elements = new Writer(proxy.port, (element) => ['RPUSH', list, element]);

  let killed = 0;
  for (const body of [add('node2', nodes[1]), { kind: 'remove', remove: ['node2'] }]) {
    await post(proxy, 'changes', body);
    for (const node of nodes) {
      const { change } = await until(proxy, (view) => view.change === null || isWithin(view));
      if (change === null) break;
      await node.restart();
      killed++;
    }
    await settled(proxy);
  }
  expect(killed).toBeGreaterThan(1);
  await Promise.all([fields.end(), elements.end()]);

  expect(await digests()).toEqual(before);
  const client = proxy.client();
  const all = await client.hkeys(hash);
  const isWritten = (name: string): boolean => name.startsWith('written:');
  fields.expectAmong(all.filter(isWritten));
  expect(all.filter((name) => !isWritten(name))).toHaveLength(ELEMENTS);
  const range = await client.lrange(list, 0, -1);
  elements.expectAmong(range.slice(ELEMENTS));
  expect(range.slice(0, ELEMENTS)).toEqual(Array.from({ length: ELEMENTS }, (_, n) => `element:${n}`));
  expect(fields.acknowledged.length + elements.acknowledged.length).toBeGreaterThan(0);
});
