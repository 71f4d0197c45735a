/**
 * What counting costs: one process that counts, and is scraped once a second, in one moment and does not in the next.
 */
import type { RedisProcess } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import {
  bySignal,
  extraTime,
  loss,
  measurePairs,
  type Pair,
  pairsFor,
  percent,
  WINDOW_MS,
  type Window,
} from './pairs.js';
import { markdown, type Row, verdict } from './report.js';
import type { RoundOptions } from './rounds.js';
import { isPlainLoad, SCENARIOS, type Scenario } from './scenarios.js';
import { scrapeOnce } from './scrape.js';
import { estimate } from './statistics.js';
import { COUNTING, switchedBuild } from './switched-build.js';

/** Part of the commands a second that metrics may cost. */
const LOSS_BAR = 0.03;
/** One scrape a second. */
const WINDOWS_A_SCRAPE = 1000 / WINDOW_MS;
/** Thirty-two groups, of which the benchmark's keys (`key:…`) fit the last. */
const GROUPS = [...Array.from({ length: 31 }, (_, i) => `g${i}=key-${i}:,kex${i}:`), 'bench=key:'].join(' ');

/** @param depths pipeline depths; empty: all of them */
export async function measureCounting(
  nodes: readonly RedisProcess[],
  options: RoundOptions & { readonly depths: readonly number[] },
): Promise<{ rows: Row[]; text: string }> {
  const main = switchedBuild(COUNTING);
  const pairs = pairsFor(options);
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter((candidate) => isPlainLoad(candidate, options.depths))) {
    const run = async (args: readonly string[]): Promise<Pair[]> => {
      const proxy = await startRingproxy({ nodes, main, args });
      let counted = 0;
      const result = await measurePairs(nodes, proxy, scenario, pairs, options.clients, {
        ...bySignal(proxy),
        during: async (counts) => {
          if (counts && ++counted % WINDOWS_A_SCRAPE === 0) await scrapeOnce(proxy.admin);
        },
      });
      await proxy.stop();
      return result;
    };
    rows.push(row(scenario, await run([]), await run(['--key-groups', GROUPS])));
  }
  const header = ['metrics', 'P', 'on cmd/s', 'off cmd/s', 'loss (standard error)', 'bar', 'CPU µs/cmd on / off'];
  header.push('more CPU a command', '', '32 key-groups: loss');
  const title = `${pairs} pairs of ${WINDOW_MS} ms in one process, counting and scraped once a second against not counting`;
  const table = markdown(
    header,
    rows.map(({ cells }) => [...cells]),
  );
  return { rows, text: `\n${title}\n\n${table}` };
}

function row({ name, load }: Scenario, plain: readonly Pair[], grouped: readonly Pair[]): Row {
  const lost = loss(plain);
  const passed = lost.mean <= LOSS_BAR;
  const mean = (of: 'on' | 'off', pick: (window: Window) => number): number =>
    estimate(plain.map((pair) => pick(pair[of]))).mean;
  const rate = (of: 'on' | 'off'): string => `${Math.round(mean(of, (window) => window.rate) / 1000)} k`;
  const processor = (of: 'on' | 'off'): string => mean(of, (window) => window.processor).toFixed(2);
  return {
    passed,
    cells: [
      ...[name, String(load.depth), rate('on'), rate('off'), `**${percent(lost)}**`, `≤ ${LOSS_BAR * 100} %`],
      `${processor('on')} / ${processor('off')}`,
      percent(extraTime(plain)),
      ...[verdict(passed), percent(loss(grouped))],
    ],
  };
}
