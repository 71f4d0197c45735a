/**
 * What metrics cost: the product as it is, scraped once a second, against a build that counts nothing and has no admin
 * API; and what clients notice of ten scrapes a second.
 */
import type { RedisProcess } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import type { WindowResult } from './client-load.js';
import { ClientLoad } from './load-process.js';
import { prefill } from './prefill.js';
import { markdown, type Row, verdict } from './report.js';
import { type RoundOptions, runRounds, type Sample } from './rounds.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { type Spread, spread } from './statistics.js';
import type { Target } from './targets.js';
import { uncountedBuild } from './uncounted-build.js';

/** Part of the commands a second that metrics may cost. */
const LOSS_BAR = 0.03;
const SCRAPE_MS = 1000;
const FREQUENT_SCRAPE_MS = 100;
const KEYS = 100_000;
const VALUE = 64;
/** Thirty-two groups, of which the benchmark's keys (`key:…`) fit the last. */
const GROUPS = [...Array.from({ length: 31 }, (_, i) => `g${i}=key-${i}:,kex${i}:`), 'bench=key:'].join(' ');

interface MetricsOptions extends RoundOptions {
  /** Pipeline depths; empty: all of them. */
  readonly depths: readonly number[];
}

/** @param print takes a line as soon as it is known */
export async function measureMetrics(
  nodes: readonly RedisProcess[],
  options: MetricsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  return [...(await measureCounting(nodes, options, print)), ...(await measureScrapes(nodes, options, print))];
}

async function measureCounting(
  nodes: readonly RedisProcess[],
  options: MetricsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const on = await startTarget('on', nodes, []);
  const off = await startTarget('off', nodes, ['--admin', 'off'], uncountedBuild());
  const grouped = await startTarget('key-groups', nodes, ['--key-groups', GROUPS]);
  const targets = [on, off, grouped];
  const header = ['metrics', 'P', 'on cmd/s', 'off cmd/s', 'loss (min–max)', 'bar'];
  header.push('CPU µs/cmd on / off', '', '32 key-groups: loss (min–max)');
  print(
    `\n${options.rounds} rounds of ${options.seconds} s in turn, scraped once a second against not counting at all\n`,
  );
  print(markdown(header, []));
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter((candidate) => isOrdinary(candidate, options.depths))) {
    const samples = await runRounds(scenario, targets, options);
    const of = (target: Target): readonly Sample[] => samples.get(target) ?? [];
    const loss = losses(of(on), of(off));
    const passed = loss.median <= LOSS_BAR;
    const median = (target: Target, pick: (sample: Sample) => number): number => spread(of(target).map(pick)).median;
    const rate = (target: Target): string => `${Math.round(median(target, (sample) => sample.rate) / 1000)} k`;
    const processor = [on, off].map((target) => median(target, (sample) => sample.processor).toFixed(2)).join(' / ');
    const row: Row = {
      passed,
      cells: [
        ...[scenario.name, String(scenario.load.depth), rate(on), rate(off), percent(loss), `≤ ${LOSS_BAR * 100} %`],
        ...[processor, verdict(passed), percent(losses(of(grouped), of(off)))],
      ],
    };
    rows.push(row);
    print(`| ${row.cells.join(' | ')} |`);
  }
  for (const target of targets) await target.stop();
  return rows;
}

/** What clients that wait for each reply notice of scrapes, in windows with and without them in turn. */
async function measureScrapes(
  nodes: readonly RedisProcess[],
  options: MetricsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const proxy = await startRingproxy({ nodes });
  const { clients, rounds } = options;
  const load = await ClientLoad.start({ port: proxy.port, clients, keys: KEYS, writes: 20, valueSize: VALUE });
  const milliseconds = options.seconds * 1000;
  const without: WindowResult[] = [];
  const during: WindowResult[] = [];
  const scraped = async (): Promise<void> => {
    const stop = scrape(proxy, FREQUENT_SCRAPE_MS);
    during.push(await load.window(milliseconds));
    await stop();
  };
  const alone = async (): Promise<void> => {
    without.push(await load.window(milliseconds));
  };
  await load.window(milliseconds);
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? alone : scraped;
    await first();
    // What was measured since the last window ended, as a scrape that was still under way, is nobody's.
    await load.window(0);
    await (first === alone ? scraped : alone)();
    await load.window(0);
  }
  load.stop();
  await proxy.stop();
  const p99 = (windows: readonly WindowResult[]): Spread => spread(windows.map((window) => window.p99));
  const rate = (windows: readonly WindowResult[]): number =>
    spread(windows.map(({ commands, seconds }) => commands / seconds)).median;
  const [before, then] = [p99(without), p99(during)];
  const passed = then.median <= before.max;
  const row: Row = {
    passed,
    cells: [
      `p99 of ${clients} ioredis clients, ms (min–max)`,
      ...[before, then].map(({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`),
      'within the spread without',
      `${Math.round(rate(without))} / ${Math.round(rate(during))}`,
      verdict(passed),
    ],
  };
  print(`\n${markdown(['scrapes', 'none', '10 a second', 'bar', 'commands/s', ''], [[...row.cells]])}`);
  return [row];
}

async function startTarget(
  name: string,
  nodes: readonly RedisProcess[],
  args: readonly string[],
  main?: string,
): Promise<Target> {
  const proxy = await startRingproxy({ nodes, args, ...(main === undefined ? {} : { main }) });
  return {
    name,
    port: proxy.port,
    pid: proxy.pid,
    stop: () => proxy.stop(),
    ...(proxy.admin === '' ? {} : { accompany: () => scrape(proxy, SCRAPE_MS) }),
  };
}

/** Scrapes until it is told to stop. A scrape that takes longer than the pause is not caught up with. */
function scrape(proxy: RingproxyProcess, pause: number): () => Promise<void> {
  let running: Promise<void> | null = null;
  let failure: unknown = null;
  const once = async (): Promise<void> => {
    try {
      const answer = await fetch(`${proxy.admin}/metrics`);
      await answer.text();
      if (!answer.ok) failure = new Error(`/metrics answered ${answer.status}`);
    } catch (error) {
      failure = error;
    }
    running = null;
  };
  const begin = (): void => {
    running ??= once();
  };
  begin();
  const timer = setInterval(begin, pause);
  return async () => {
    clearInterval(timer);
    await running;
    if (failure !== null) throw failure;
  };
}

function isOrdinary({ name, load }: Scenario, depths: readonly number[]): boolean {
  return (name === 'get' || name === 'set') && (depths.length === 0 || depths.includes(load.depth));
}

/** Part of the commands a second that is lost, round by round. */
function losses(subject: readonly Sample[], reference: readonly Sample[]): Spread {
  return spread(subject.map(({ rate }, round) => 1 - rate / (reference[round]?.rate ?? Number.NaN)));
}

function percent({ median, min, max }: Spread): string {
  const [m, least, most] = [median, min, max].map((value) => (value * 100).toFixed(1));
  return `**${m} %** (${least}–${most})`;
}
