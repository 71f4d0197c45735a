/** `near-auto` in a real proxy: a key that becomes hot is answered without its node, and nobody reads what is over. */
import { expect, it } from 'vitest';
import type { HotView } from '../../../../src/admin/api.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';

const CONFIG = 'near-auto: on\nkey-groups: { pages: "page:", thumbs: { prefixes: "thumb:", max-ttl: 1d } }\n';
/** The second one begins with the first one. */
const HOT = ['page:1', 'page:10', 'alone'];

async function nearOf({ admin }: RingproxyProcess): Promise<string[]> {
  const { keys } = (await (await fetch(`${admin}/v1/hot`)).json()) as HotView;
  return keys
    .filter(({ near }) => near)
    .map(({ key }) => key)
    .sort();
}

it('keeps hot keys of groups without a policy, reads own writes, and hears of those of others', async () => {
  const nodes = await startRedises(2);
  const proxy = await startRingproxy({ nodes, config: CONFIG });
  const client = await RawClient.connect(proxy.port);
  const others = await Promise.all(nodes.map((node) => RawClient.connect(node.port)));
  const gets = async (): Promise<number> => {
    const texts = await Promise.all(others.map((other) => other.text('INFO', 'commandstats')));
    return texts.reduce((sum, text) => sum + Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0), 0);
  };
  const read = (): Promise<Buffer[]> =>
    client.pipeline([...HOT, 'thumb:1'].flatMap((key) => Array.from({ length: 100 }, () => ['GET', key])));
  for (const key of HOT) await client.command('SET', key, '0');
  await expect
    .poll(
      async () => {
        await read();
        return nearOf(proxy);
      },
      { timeout: 30_000 },
    )
    .toEqual([...HOT].sort());
  // One of a group with a policy is as hot, and not kept. What is kept is confirmed in a moment.
  await expect
    .poll(async () => {
      const before = await gets();
      await read();
      return (await gets()) - before;
    })
    .toBe(100);
  expect((await scrape(proxy.admin)).get('ringproxy_hot_keys_near')).toBe(HOT.length);

  for (let version = 1; version <= 100; version++) {
    const replies = await client.pipeline([
      ['MSET', ...HOT.flatMap((key) => [key, String(version)])],
      ...HOT.map((key) => ['GET', key]),
      ['MGET', ...HOT],
    ]);
    const bulk = `$${String(version).length}\r\n${version}\r\n`;
    expect(replies.map(String)).toEqual(['+OK\r\n', bulk, bulk, bulk, `*3\r\n${bulk.repeat(3)}`]);
  }
  await read();
  for (const key of HOT) {
    for (const other of others) await other.command('SET', key, 'others');
    await expect.poll(() => client.text('GET', key)).toBe('$6\r\nothers\r\n');
  }
});

it('does nothing unless it is asked for', async () => {
  const nodes = await startRedises(1);
  const proxy = await startRingproxy({ nodes });
  const client = await RawClient.connect(proxy.port);
  for (let i = 0; i < 15; i++) {
    await client.pipeline(Array.from({ length: 200 }, () => ['GET', 'hot']));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await nearOf(proxy)).toEqual([]);
  const node = await RawClient.connect(nodes[0]?.port ?? 0);
  expect(await node.text('INFO', 'commandstats')).toMatch(/cmdstat_get:calls=3000,/);
  expect(await node.text('CLIENT', 'LIST')).not.toMatch(/flags=\w*t/);
});
