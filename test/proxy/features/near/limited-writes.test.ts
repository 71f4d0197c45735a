/** Groups that are kept near and whose times to live are limited: the frame of a write is written anew before it is looked at. */
import { expect, it } from 'vitest';
import { startLateFeeds } from '../../../support/late-feeds.js';
import { RawClient } from '../../../support/raw-client.js';
import { startRedis } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';

const CONFIG = 'key-groups: { timed: { prefixes: ["timed:"], cache: near, near-ttl: 1m, ttl-jitter: 10% } }\n';
const HITS = 'ringproxy_near_requests_total{group="timed",result="hit"}';

it.each([
  ['alone', []],
  ['behind another command', [['PING']]],
  ['behind a long one', [['SET', 'other', 'x'.repeat(5000)]]],
] as const)('a client reads its own write, which came %s', async (_how, before) => {
  const node = await startRedis();
  const feeds = await startLateFeeds(node.port, 0, () => 0);
  const proxy = await startRingproxy({ nodes: [feeds], config: CONFIG });
  const client = await RawClient.connect(proxy.port);
  const hits = async (): Promise<number> => (await scrape(proxy.admin)).get(HITS) ?? 0;
  for (const first = await hits(); (await hits()) === first; ) {
    expect(await client.text('GET', 'timed:1')).toBe('$-1\r\n');
  }
  // So that only the write itself can end what is kept.
  feeds.hold();
  const replies = await client.pipeline([
    ...before.map((words) => [...words]),
    ['SET', 'timed:1', 'mine', 'PX', '3600000'],
    ['GET', 'timed:1'],
  ]);
  expect(replies.at(-1)?.toString()).toBe('$4\r\nmine\r\n');
  feeds.release();
  client.close();
});
