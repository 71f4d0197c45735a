/** What metrics cost: commands a second, and what clients notice of ten scrapes a second. */
import type { RedisProcess } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import type { WindowResult } from './client-load.js';
import { measureCounting } from './counting-cost.js';
import { ClientLoad } from './load-process.js';
import { prefill } from './prefill.js';
import { markdown, type Row, verdict } from './report.js';
import type { RoundOptions } from './rounds.js';
import { scrapeEvery } from './scrape.js';
import { type Spread, spread } from './statistics.js';

const SCRAPE_MS = 100;
const KEYS = 100_000;
const VALUE = 64;

interface MetricsOptions extends RoundOptions {
  /** Pipeline depths; empty: all of them. */
  readonly depths: readonly number[];
}

/** @param print takes a table as soon as it is known */
export async function measureMetrics(
  nodes: readonly RedisProcess[],
  options: MetricsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const counting = await measureCounting(nodes, options);
  print(counting.text);
  return [...counting.rows, ...(await measureScrapes(nodes, options, print))];
}

/**
 * What clients that wait for each reply notice of scrapes, in windows in turn: without any, with those of another proxy
 * that has no clients, and with those of theirs. Scrapes cost the scraper, too: on a machine of few cores the second
 * tells what of the third is not the proxy's doing.
 */
async function measureScrapes(
  nodes: readonly RedisProcess[],
  options: MetricsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const proxy = await startRingproxy({ nodes });
  const other = await startRingproxy({ nodes });
  const { clients, rounds } = options;
  const load = await ClientLoad.start({ port: proxy.port, clients, keys: KEYS, writes: 20, valueSize: VALUE });
  const milliseconds = options.seconds * 1000;
  const cases = [null, other, proxy].map((scraped) => ({ scraped, windows: [] as WindowResult[] }));
  await load.window(milliseconds);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < cases.length; turn++) {
      const { scraped, windows } = cases[(round + turn) % cases.length] as (typeof cases)[number];
      const stop = scraped === null ? null : scrapeEvery(scraped.admin, SCRAPE_MS);
      windows.push(await load.window(milliseconds));
      await stop?.();
      // What was measured since the window ended, as a scrape that was still under way, is nobody's.
      await load.window(0);
    }
  }
  load.stop();
  await proxy.stop();
  await other.stop();
  const [none, beside, own] = cases.map(({ windows }) => spread(windows.map((window) => window.p99))) as [
    Spread,
    Spread,
    Spread,
  ];
  const rates = cases.map(({ windows }) =>
    Math.round(spread(windows.map(({ commands, seconds }) => commands / seconds)).median),
  );
  const passed = own.median <= Math.max(none.max, beside.max);
  const row: Row = {
    passed,
    cells: [
      `p99 of ${clients} ioredis clients, ms (min–max)`,
      ...[none, beside, own].map(
        ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`,
      ),
      'within the spread of the others',
      rates.join(' / '),
      verdict(passed),
    ],
  };
  const header = ['10 scrapes a second', 'none', 'of another proxy', 'of theirs', 'bar', 'commands/s', ''];
  print(`\n${markdown(header, [[...row.cells]])}`);
  return [row];
}
