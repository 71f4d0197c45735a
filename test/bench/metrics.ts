/**
 * What metrics cost: the product as it is, scraped once a second, against a build that counts nothing and has no admin
 * API; and what clients notice of ten scrapes a second.
 */
import type { RedisProcess } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import type { WindowResult } from './client-load.js';
import { ClientLoad } from './load-process.js';
import { prefill } from './prefill.js';
import { markdown, percent, type Row, verdict } from './report.js';
import { type RoundOptions, runRounds, type Sample } from './rounds.js';
import { isPlainLoad, SCENARIOS, type Scenario } from './scenarios.js';
import { type Spread, spread } from './statistics.js';
import type { Target } from './targets.js';
import { uncountedBuild } from './uncounted-build.js';

/** Part of the commands a second that metrics may cost. */
const LOSS_BAR = 0.03;
const SCRAPE_MS = 1000;
const FREQUENT_SCRAPE_MS = 100;
/** For each scenario. */
const WARM_UP_SECONDS = 1;
const KEYS = 100_000;
const VALUE = 64;
/** Thirty-two groups, of which the benchmark's keys (`key:…`) fit the last. */
const GROUPS = [...Array.from({ length: 31 }, (_, i) => `g${i}=key-${i}:,kex${i}:`), 'bench=key:'].join(' ');

const ON = 'on';
const OFF = 'off';
const OFF_AGAIN = 'off again';
const GROUPED = 'key-groups';

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

/**
 * Each round has proxies of its own: two processes of the very same program differ by some percent for as long as they
 * live, which is also why the build that does not count runs twice, once against itself.
 */
async function measureCounting(
  nodes: readonly RedisProcess[],
  options: MetricsOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const scenarios = SCENARIOS.filter((candidate) => isPlainLoad(candidate, options.depths));
  const samples = new Map(scenarios.map((scenario) => [scenario, new Map<string, Sample[]>()]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [scenario, sample] of await measureRound(nodes, scenarios, options, round)) {
      for (const [name, value] of sample) {
        const of = samples.get(scenario);
        of?.set(name, [...(of.get(name) ?? []), value]);
      }
    }
  }
  const header = ['metrics', 'P', 'on cmd/s', 'off cmd/s', 'loss (min–max)', 'bar', 'CPU µs/cmd on / off', ''];
  header.push('32 key-groups: loss', 'off against itself');
  const rows = scenarios.map((scenario) => countingRow(scenario, samples.get(scenario) ?? new Map()));
  print(
    `\n${options.rounds} rounds of ${options.seconds} s in turn, scraped once a second against not counting at all\n`,
  );
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  return rows;
}

function countingRow({ name, load }: Scenario, samples: ReadonlyMap<string, readonly Sample[]>): Row {
  const of = (target: string): readonly Sample[] => samples.get(target) ?? [];
  const loss = losses(of(ON), of(OFF));
  const passed = loss.median <= LOSS_BAR;
  const median = (target: string, pick: (sample: Sample) => number): number => spread(of(target).map(pick)).median;
  const rate = (target: string): string => `${Math.round(median(target, (sample) => sample.rate) / 1000)} k`;
  const processor = [ON, OFF].map((target) => median(target, (sample) => sample.processor).toFixed(2)).join(' / ');
  return {
    passed,
    cells: [
      ...[name, String(load.depth), rate(ON), rate(OFF), percent(loss), `≤ ${LOSS_BAR * 100} %`, processor],
      ...[verdict(passed), percent(losses(of(GROUPED), of(OFF))), percent(losses(of(OFF_AGAIN), of(OFF)))],
    ],
  };
}

/** @returns the samples of one round by scenario and target */
async function measureRound(
  nodes: readonly RedisProcess[],
  scenarios: readonly Scenario[],
  options: MetricsOptions,
  round: number,
): Promise<Map<Scenario, Map<string, Sample>>> {
  const uncounted = uncountedBuild();
  const targets = [
    await startTarget(ON, nodes, []),
    await startTarget(OFF, nodes, ['--admin', 'off'], uncounted),
    await startTarget(GROUPED, nodes, ['--key-groups', GROUPS]),
    await startTarget(OFF_AGAIN, nodes, ['--admin', 'off'], uncounted),
  ];
  // Nobody is always the first, or behind the same one.
  const turned = [...targets.slice(round % targets.length), ...targets.slice(0, round % targets.length)];
  if (round % 2 === 1) turned.reverse();
  const result = new Map<Scenario, Map<string, Sample>>();
  // What a young process spends on compiling its code, metrics' or not, is not what they cost.
  for (const scenario of scenarios)
    await runRounds(scenario, turned, { ...options, rounds: 1, seconds: WARM_UP_SECONDS });
  for (const scenario of scenarios) {
    const samples = await runRounds(scenario, turned, { ...options, rounds: 1 });
    result.set(
      scenario,
      new Map([...samples].flatMap(([{ name }, [sample]]) => (sample === undefined ? [] : [[name, sample] as const]))),
    );
  }
  for (const target of targets) await target.stop();
  return result;
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
      const stop = scraped === null ? null : scrape(scraped, FREQUENT_SCRAPE_MS);
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

/** Part of the commands a second that is lost, round by round. */
function losses(subject: readonly Sample[], reference: readonly Sample[]): Spread {
  return spread(subject.map(({ rate }, round) => 1 - rate / (reference[round]?.rate ?? Number.NaN)));
}
