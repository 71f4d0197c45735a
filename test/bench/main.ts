/**
 * Measures the product against the real twemproxy and a bare Redis, side by side and in turn, and prints tables in
 * markdown. The bar it compares with is part of each scenario.
 */
import { endAll } from '../support/cleanup.js';
import { hasNutcracker } from '../support/nutcracker-process.js';
import { type RedisProcess, startRedises } from '../support/redis-process.js';
import { buildCommit } from './base-build.js';
import { measureBigValue } from './big-value.js';
import { CACHING_PARTS, isCachingPart, measureCaching } from './caching/main.js';
import { measureFloor } from './floor-cost.js';
import { measureIdleClients } from './idle-clients.js';
import { measureMetrics } from './metrics.js';
import { runMicroBenchmarks } from './micro.js';
import { type BenchOptions, parseOptions } from './options.js';
import { PREDIXY } from './predixy.js';
import { prefill } from './prefill.js';
import { measureRebalance } from './rebalance.js';
import { markdown, type Row, throughputHeader, throughputRow } from './report.js';
import { runRounds } from './rounds.js';
import { type Runtime, runtimes } from './runtime.js';
import { floorScenarios, SCENARIOS } from './scenarios.js';
import { measureStampede } from './stampede.js';
import { direct, floor, predixy, ringproxy, type StartTarget, twemproxy } from './targets.js';
import { measureTls, measureTlsConnections } from './tls.js';
import { measureWaiting } from './waiting.js';

const MEMORY = { idle: measureIdleClients, 'big-value': measureBigValue };
const NODES = 3;

async function main(options: BenchOptions): Promise<boolean> {
  const known = new Set([
    ...SCENARIOS.map(({ name }) => name),
    ...Object.keys(MEMORY),
    'rebalance',
    'metrics',
    'waiting',
    'tls',
    'tls-connections',
    'caching',
    ...CACHING_PARTS,
    'stampede',
    'micro',
    'floor',
  ]);
  const unknown = options.only.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`no scenario "${unknown.join('", "')}"; there are: ${[...known].join(', ')}`);
  const isNamed = (name: string) => options.only.length === 0 || options.only.includes(name);
  // What is named beside the floor are its own scenarios.
  const floorOnly = options.only.includes('floor');
  const cachingOnly = options.only.some((name) => name === 'caching' || isCachingPart(name));
  const wanted = (name: string) => !floorOnly && !cachingOnly && isNamed(name);

  const [runtime, ...furtherRuntimes] = runtimes(options.runtimes);
  // Parts that start the product by themselves take the same one.
  process.env.TEST_NODE = runtime.path;
  const base = options.base === null ? null : { name: options.base, path: buildCommit(options.base) };
  // The first is the subject, the second the one that it is compared with.
  const starts: StartTarget[] = [ringproxy(runtime)];
  if (hasNutcracker) starts.push(twemproxy);
  if (PREDIXY !== null) starts.push(predixy(PREDIXY));
  if (base !== null) starts.push(ringproxy(runtime, base));
  starts.push(...furtherRuntimes.map((further) => ringproxy(further)));
  if (options.direct || starts.length === 1) starts.push(direct);

  print(`Node.js ${[runtime, ...furtherRuntimes].map(({ version }) => version).join(', ')}\n`);
  const nodes = await startRedises(NODES);
  const rows = [
    ...(await runThroughput(nodes, starts, options, wanted)),
    ...(await runMemory(nodes, hasNutcracker ? [ringproxy(runtime), twemproxy] : [ringproxy(runtime)], wanted)),
  ];
  if (isNamed('floor')) rows.push(...(await runFloor(nodes, [runtime, ...furtherRuntimes], base, options)));
  if (wanted('rebalance')) {
    const moves = await measureRebalance();
    rows.push(...moves);
    print(
      `\n${markdown(
        ['1,000,000 keys of 64 bytes, a fourth node joins', '', 'bar', ''],
        moves.map((row) => [...row.cells]),
      )}`,
    );
  }
  // What it compares with is not on every machine.
  if (options.only.includes('tls')) rows.push(...(await measureTls(nodes, runtime, options, print)));
  if (options.only.includes('tls-connections')) {
    rows.push(...(await measureTlsConnections(nodes, runtime, print)));
  }
  if (wanted('waiting')) rows.push(...(await measureWaiting(nodes, options, print)));
  if (wanted('stampede')) rows.push(...(await measureStampede(print)));
  if (wanted('metrics')) rows.push(...(await measureMetrics(nodes, options, print)));
  if (cachingOnly || wanted('caching')) rows.push(...(await measureCaching(nodes, options, print)));
  await endAll();
  if (wanted('micro')) print(`\n${await runMicroBenchmarks()}`);
  const missed = rows.filter((row) => row.passed === false).length;
  if (missed > 0) print(`${missed} of ${rows.length} below the bar`);
  return missed === 0;
}

async function runThroughput(
  nodes: readonly RedisProcess[],
  starts: readonly StartTarget[],
  options: BenchOptions,
  wanted: (name: string) => boolean,
): Promise<Row[]> {
  const scenarios = SCENARIOS.filter(
    ({ name, load }) => wanted(name) && (options.depths.length === 0 || options.depths.includes(load.depth)),
  );
  if (scenarios.length === 0) return [];
  const targets = await Promise.all(starts.map((start) => start(nodes)));
  const [subject, reference, ...others] = targets;
  if (subject === undefined || reference === undefined) throw new Error('nothing to compare with');
  const header = throughputHeader(
    subject.name,
    reference.name,
    others.map(({ name }) => name),
  );
  print(
    `${options.clients} clients, ${NODES} nodes, ${options.rounds} rounds of ${options.seconds} s in turn, medians\n`,
  );
  print(markdown(header, []));
  const rows: Row[] = [];
  let loaded = '';
  for (const scenario of scenarios) {
    const { keys, valueSize } = scenario.load;
    const data = `${keys} × ${valueSize}`;
    if (data !== loaded) await prefill(nodes, keys, valueSize);
    loaded = data;
    const samples = await runRounds(scenario, targets, options);
    const of = (target: (typeof targets)[number]) => samples.get(target) ?? [];
    const row = throughputRow(scenario, of(subject), of(reference), others.map(of));
    rows.push(row);
    print(`| ${row.cells.join(' | ')} |`);
  }
  for (const target of targets) await target.stop();
  return rows;
}

async function runFloor(
  nodes: readonly RedisProcess[],
  on: readonly Runtime[],
  base: { readonly name: string; readonly path: string } | null,
  options: BenchOptions,
): Promise<Row[]> {
  const { only, depths, clients, clientsNamed } = options;
  const scenarios = floorScenarios(clientsNamed ? clients : null).filter(
    ({ scenario: { name, load } }) =>
      (only.length < 2 || only.includes(name)) && (depths.length === 0 || depths.includes(load.depth)),
  );
  const starts = {
    groups: on.map((runtime) => ({
      floor: floor(runtime),
      product: ringproxy(runtime),
      base: base === null ? null : ringproxy(runtime, base),
    })),
    twemproxy: hasNutcracker ? twemproxy : null,
    predixy: PREDIXY === null ? null : predixy(PREDIXY),
    direct: options.direct ? direct : null,
  };
  return measureFloor(nodes, starts, scenarios, options, print);
}

async function runMemory(
  nodes: readonly RedisProcess[],
  starts: readonly StartTarget[],
  wanted: (name: string) => boolean,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(MEMORY)) {
    if (!wanted(name)) continue;
    for (const [index, start] of starts.entries()) {
      // A new process each time: memory does not forget.
      const target = await start(nodes);
      rows.push(await measure(target, index === 0));
      await target.stop();
    }
  }
  if (rows.length > 0) {
    print(
      `\n${markdown(
        ['memory', 'target', 'before', 'then', 'bar', ''],
        rows.map((row) => [...row.cells]),
      )}`,
    );
  }
  return rows;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options !== null && !(await main(options)) && options.check) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await endAll();
}
