/**
 * What counting costs: one process that counts, and is scraped once a second, in one moment and does not in the next,
 * over and over under one load that never pauses.
 *
 * Two processes of the very same program differ by 5 % and more for as long as they live, and so does one process from
 * one second to the next on a machine that is not alone. So only neighbouring windows of a quarter of a second compare,
 * and there are many pairs of them: their mean has an error of 1 to 2 %, which stands beside it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisProcess } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { NodeCommands } from './node-commands.js';
import { processorTime } from './process-usage.js';
import { endlessBenchmark } from './redis-benchmark.js';
import { markdown, type Row, verdict } from './report.js';
import type { RoundOptions } from './rounds.js';
import { isPlainLoad, SCENARIOS, type Scenario } from './scenarios.js';
import { scrapeOnce } from './scrape.js';
import { type Estimate, estimate } from './statistics.js';
import { COUNTING, SWITCH_SIGNAL, switchedBuild } from './switched-build.js';

/** Part of the commands a second that metrics may cost. */
const LOSS_BAR = 0.03;
const WINDOW_MS = 250;
/** One scrape a second. */
const WINDOWS_A_SCRAPE = 1000 / WINDOW_MS;
/** What a young process spends on compiling its code, metrics' or not, is not what they cost. */
const WARM_UP_WINDOWS = 16;
/** A signal is heard by the event loop, in its next turn. */
const SWITCHED_MS = 5;
/** Thirty-two groups, of which the benchmark's keys (`key:…`) fit the last. */
const GROUPS = [...Array.from({ length: 31 }, (_, i) => `g${i}=key-${i}:,kex${i}:`), 'bench=key:'].join(' ');

export interface Window {
  /** Commands a second. */
  readonly rate: number;
  /** Microseconds of the proxy's processor time a command. */
  readonly processor: number;
}

export interface Pair {
  readonly on: Window;
  readonly off: Window;
}

/** @param depths pipeline depths; empty: all of them */
export async function measureCounting(
  nodes: readonly RedisProcess[],
  options: RoundOptions & { readonly depths: readonly number[] },
): Promise<{ rows: Row[]; text: string }> {
  const main = switchedBuild(COUNTING);
  const pairs = Math.max(2, Math.round((options.rounds * options.seconds * 1000) / WINDOW_MS));
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter((candidate) => isPlainLoad(candidate, options.depths))) {
    const run = async (args: readonly string[]): Promise<Pair[]> => {
      const proxy = await startRingproxy({ nodes, main, args });
      const result = await measurePairs(nodes, proxy, scenario, pairs, options.clients, true);
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
      percent(estimate(plain.map(({ on, off }) => on.processor / off.processor - 1))),
      ...[verdict(passed), percent(loss(grouped))],
    ],
  };
}

/** Part of the commands a second that is lost. */
export function loss(pairs: readonly Pair[]): Estimate {
  return estimate(pairs.map(({ on, off }) => 1 - on.rate / off.rate));
}

export function percent({ mean, error }: Estimate): string {
  return `${(mean * 100).toFixed(1)} % (±${(error * 100).toFixed(1)})`;
}

/** @param isScraped whether metrics are asked for, once a second, while it counts: that is a part of what metrics cost */
export async function measurePairs(
  nodes: readonly RedisProcess[],
  proxy: RingproxyProcess,
  { load }: Scenario,
  pairs: number,
  clients: number,
  isScraped: boolean,
): Promise<Pair[]> {
  const observers = await NodeCommands.of(nodes);
  const stopLoad = endlessBenchmark(proxy.port, { ...load, clients });
  let isCounting = true;
  let counted = 0;
  const measure = async (counts: boolean): Promise<Window> => {
    if (counts !== isCounting) {
      process.kill(proxy.pid, SWITCH_SIGNAL);
      isCounting = counts;
      await pause(SWITCHED_MS);
    }
    const before = await read(observers, proxy.pid);
    const scrape = isScraped && counts && ++counted % WINDOWS_A_SCRAPE === 0 ? scrapeOnce(proxy.admin) : null;
    await pause(WINDOW_MS);
    await scrape;
    const after = await read(observers, proxy.pid);
    const commands = after.commands - before.commands;
    return {
      rate: commands / (after.seconds - before.seconds),
      processor: (after.processor - before.processor) / commands,
    };
  };
  for (let i = 0; i < WARM_UP_WINDOWS; i++) await measure(i % 2 === 0);
  const result: Pair[] = [];
  for (let i = 0; i < pairs; i++) {
    // Neither is always the first: what drifts evens out.
    const first = await measure(i % 2 === 0);
    const second = await measure(i % 2 !== 0);
    result.push(i % 2 === 0 ? { on: first, off: second } : { on: second, off: first });
  }
  await stopLoad();
  observers.close();
  return result;
}

/** The nodes count whether the proxy does or not. */
async function read(
  observers: NodeCommands,
  pid: number,
): Promise<{ commands: number; processor: number; seconds: number }> {
  return {
    commands: await observers.total(),
    processor: processorTime(pid),
    seconds: performance.now() / 1000,
  };
}
