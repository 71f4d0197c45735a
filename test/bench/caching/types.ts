/** The caching types against each other on the same skewed load: what each gives, and what it costs. */
import type { GroupsView } from '../../../src/admin/api.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { scrape } from '../../support/series.js';
import { processorTime } from '../process-usage.js';
import { markdown, type Row } from '../report.js';
import { writeKeys } from './skewed-keys.js';
import { SkewedLoad } from './skewed-process.js';
import { measureStaleness, type Staleness } from './staleness.js';

const NODES = 3;
const KEYS = 100_000;
const EXPONENT = 0.99;
const PREFIX = 'key:';
/** One command in so many writes. */
const WRITE_EVERY = 20;
const WARM_UP_MS = 3000;
const DEPTHS = [1, 16];
const WRITES_AT_REST = 500;
const WRITES_UNDER_LOAD = 200;
/** Beside the writer and the reader: enough that workers are busy, and not so many that they wait for a processor. */
const BESIDE = { clients: 4, depth: 1 };

interface Kept {
  readonly bytes: number;
  readonly values: number;
}

interface CachingType {
  readonly name: string;
  /** Of `key-groups`. */
  readonly policy: string;
  /** The bytes that are kept in the proxy, and how many values, by metrics; null: none are. */
  readonly kept: ((series: ReadonlyMap<string, number>, view: GroupsView) => Kept) | null;
}

const TYPES: readonly CachingType[] = [
  { name: 'sharded', policy: 'cache: sharded', kept: null },
  {
    name: 'near',
    policy: 'cache: near',
    kept: (_series, { groups }) => ({ bytes: groups[0]?.near?.bytes ?? 0, values: groups[0]?.near?.entries ?? 0 }),
  },
  {
    name: 'replicated',
    policy: 'cache: replicated',
    kept: (series) => ({
      bytes: series.get('ringproxy_replicated_bytes') ?? 0,
      values: series.get('ringproxy_replicated_keys') ?? 0,
    }),
  },
];

interface TypesOptions {
  readonly depths: readonly number[];
  readonly clients: number;
  readonly seconds: number;
}

interface Throughput {
  readonly rate: number;
  readonly p99: number;
  readonly processor: number;
  /** Part of the commands that no node has seen. */
  readonly hits: number;
}

/** @param print takes a table as soon as it is known @param only the name of one type, alone; default: all of them */
export async function measureTypes(
  options: TypesOptions,
  print: (text: string) => void,
  only: string | null = null,
): Promise<Row[]> {
  const depths = options.depths.length === 0 ? DEPTHS : options.depths;
  const rows: Row[] = [];
  for (const type of TYPES.filter(({ name }) => only === null || name === only))
    rows.push(await measureType(type, depths, options));
  const header = ['type', ...depths.flatMap((depth) => [`P=${depth} cmd/s`, 'p99 ms', 'CPU µs/cmd', 'without a node'])];
  header.push('stale at rest: median / p99 / longest ms', 'under load', 'bytes a key on nodes', 'in the proxy');
  print(
    `\nZipf ${EXPONENT} over ${KEYS.toLocaleString('en-US')} keys of 64 bytes, one write in ${WRITE_EVERY} commands, ${options.clients} clients, ${NODES} nodes; staleness between two workers\n`,
  );
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  return rows;
}

async function measureType(type: CachingType, depths: readonly number[], options: TypesOptions): Promise<Row> {
  const nodes = await startRedises(NODES);
  const config = `key-groups:\n  bench: { prefixes: "${PREFIX}", ${type.policy} }\n`;
  const empty = await usedMemory(nodes);
  const proxy = await startRingproxy({ nodes, config });
  await writeKeys(proxy.port, PREFIX, KEYS);
  const onNodes = ((await usedMemory(nodes)) - empty) / KEYS;
  const figures: Throughput[] = [];
  for (const depth of depths) figures.push(await measureThroughput(proxy, nodes, depth, options));
  const inProxy = await bytesAKey(proxy, type);
  await proxy.stop();

  const pair = await startRingproxy({ nodes, config, args: ['--workers', '2'] });
  const atRest = await measureStaleness(pair, WRITES_AT_REST);
  const load = await SkewedLoad.start(loadOf(pair.port, BESIDE.depth, BESIDE.clients));
  const underLoad = await measureStaleness(pair, WRITES_UNDER_LOAD);
  await load.stop();
  await pair.stop();
  for (const node of nodes) await node.stop();
  return {
    passed: null,
    cells: [
      type.name,
      ...figures.flatMap(({ rate, p99, processor, hits }) => [
        ...[`${Math.round(rate / 1000)} k`, p99.toFixed(2), processor.toFixed(2), `${(hits * 100).toFixed(1)} %`],
      ]),
      ...[describe(atRest), describe(underLoad), onNodes.toFixed(0), inProxy],
    ],
  };
}

async function measureThroughput(
  { port, pid }: RingproxyProcess,
  nodes: readonly RedisProcess[],
  depth: number,
  { clients, seconds }: TypesOptions,
): Promise<Throughput> {
  const observers = await Promise.all(nodes.map((node) => RawClient.connect(node.port)));
  const load = await SkewedLoad.start(loadOf(port, depth, clients));
  await load.window(WARM_UP_MS);
  const before = await lookups(observers);
  const usedBefore = processorTime(pid);
  const result = await load.window(seconds * 1000);
  const used = processorTime(pid) - usedBefore;
  const atNodes = (await lookups(observers)) - before;
  await load.stop();
  for (const observer of observers) observer.close();
  const reads = result.commands * (1 - 1 / WRITE_EVERY);
  return {
    rate: result.commands / result.seconds,
    p99: result.p99,
    processor: used / result.commands,
    hits: Math.max(0, 1 - atNodes / reads),
  };
}

function loadOf(port: number, depth: number, clients: number) {
  return { port, clients, depth, keys: KEYS, exponent: EXPONENT, prefix: PREFIX, writeEvery: WRITE_EVERY };
}

/** GETs that nodes have carried out. */
async function lookups(observers: readonly RawClient[]): Promise<number> {
  const texts = await Promise.all(observers.map((observer) => observer.text('INFO', 'commandstats')));
  return texts.reduce((sum, text) => sum + Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0), 0);
}

async function usedMemory(nodes: readonly RedisProcess[]): Promise<number> {
  let sum = 0;
  for (const { port } of nodes) {
    const client = await RawClient.connect(port);
    sum += Number(/used_memory:(\d+)/.exec(await client.text('INFO', 'memory'))?.[1]);
    client.close();
  }
  return sum;
}

async function bytesAKey({ admin }: RingproxyProcess, { kept }: CachingType): Promise<string> {
  if (kept === null) return '0';
  const view = (await (await fetch(`${admin}/v1/groups`)).json()) as GroupsView;
  const { bytes, values } = kept(await scrape(admin), view);
  return values === 0 ? '–' : `${(bytes / values).toFixed(0)} (${values.toLocaleString('en-US')} values)`;
}

function describe({ median, p99, longest }: Staleness): string {
  return [median, p99, longest].map((milliseconds) => milliseconds.toFixed(2)).join(' / ');
}
