/**
 * How many reads may wait for fillers: 10,000 of one key, 100,000 of all. Beyond, a read misses at once, as it does
 * without `fill-wait`. Who waits is known by the metrics, so nothing here counts on time.
 */
import { expect, it } from 'vitest';
import { RawClient } from '../../../support/raw-client.js';
import { startRedises } from '../../../support/redis-process.js';
import { startRingproxy } from '../../../support/ringproxy-process.js';
import { scrape } from '../../../support/series.js';

const CONFIG = 'key-groups:\n  pages: { prefixes: ["page:"], fill-wait: 1m }\n';
const NIL = '$-1\r\n';
const MOST_OF_KEY = 10_000;
const KEYS = 10;
/** Of each no more than 512 commands are taken that are not answered yet. */
const CLIENTS = 250;
const EACH = MOST_OF_KEY / CLIENTS;

it('is bounded, of one key and of all; beyond that a miss is a miss, and who waits gets the value', async () => {
  const proxy = await startRingproxy({ nodes: await startRedises(1), config: CONFIG, args: ['--workers', '1'] });
  const connect = (count: number): Promise<RawClient[]> =>
    Promise.all(Array.from({ length: count }, () => RawClient.connect(proxy.port)));
  const refused = async (): Promise<number> =>
    (await scrape(proxy.admin)).get('ringproxy_fill_waits_total{group="pages",outcome="full"}') ?? 0;
  const [filler, late] = (await connect(2)) as [RawClient, RawClient];
  const clients = await connect(CLIENTS);
  // They are accepted: what they send from now on is read within a turn of the proxy's event loop.
  await Promise.all(clients.map((client) => client.command('PING')));

  for (let key = 0; key < KEYS; key++) {
    expect(await filler.text('GET', `page:${key}`)).toBe(NIL);
    for (const client of clients) client.send(`GET page:${key}\r\n`.repeat(EACH));
    // The node answers in order: when a further round trip has ended, they wait.
    for (let round = 0; round < 3; round++) await late.command('DBSIZE');
    if (key === 0) expect(await late.text('GET', 'page:0')).toBe(NIL);
  }
  expect(await refused()).toBe(1);
  // Of another key: the first one sees its miss in any case, and another one sees it since 100,000 wait.
  expect(await filler.text('GET', 'page:last')).toBe(NIL);
  expect(await late.text('GET', 'page:last')).toBe(NIL);
  expect(await refused()).toBe(2);

  for (let key = 0; key < KEYS; key++) await filler.command('SET', `page:${key}`, `v${key}`);
  await filler.command('SET', 'page:last', 'v');
  const values = Array.from({ length: KEYS }, (_, key) => `$2\r\nv${key}\r\n`.repeat(EACH)).join('');
  const got = await Promise.all(clients.map((client) => client.replies(KEYS * EACH)));
  for (const replies of got) expect(replies.join('')).toBe(values);
  expect(await refused()).toBe(2);
  // There is room again.
  expect(await filler.text('GET', 'page:new')).toBe(NIL);
  const waits = late.text('GET', 'page:new');
  await clients[0]?.command('DBSIZE');
  await filler.command('SET', 'page:new', 'v');
  expect(await waits).toBe('$1\r\nv\r\n');
});
