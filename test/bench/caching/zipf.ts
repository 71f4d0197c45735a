/**
 * Skewed loads over five nodes: whether the hottest keys are found, and how evenly the nodes are loaded with and
 * without keeping these near. A small cache in front evens any skew out (Fan et al., "Small Cache, Big Effect: Provable
 * Load Balancing for Randomly Partitioned Cluster Services", SoCC 2011): O(n log n) keys for n nodes.
 */
import type { HotView } from '../../../src/admin/api.js';
import { RawClient } from '../../support/raw-client.js';
import { type RedisProcess, startRedises } from '../../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../../support/ringproxy-process.js';
import { processorTime } from '../process-usage.js';
import { markdown, type Row, verdict } from '../report.js';
import { skewedKey, writeKeys } from './skewed-keys.js';
import type { SkewedLoadOptions, SkewedResult } from './skewed-load.js';
import { SkewedLoad } from './skewed-process.js';

const NODES = 5;
const KEYS = 1_000_000;
const EXPONENTS = [0.99, 1.2];
const TOP = 20;
const PREFIX = 'key:';
/** Until the sketch has seen enough, and what is hot is kept. */
const WARM_UP_MS = 8000;
/** Of the 20 hottest keys, by a count of every command, so many must be found. */
const FOUND_BAR = 0.9;
const CASES: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: 'near-auto off', args: [] },
  { name: 'near-auto on', args: ['--near-auto', 'on'] },
];

interface ZipfOptions {
  readonly depths: readonly number[];
  readonly clients: number;
  readonly seconds: number;
}

interface Measured {
  readonly load: SkewedResult;
  /** Of the nodes' commands, each node's. */
  readonly shares: readonly number[];
  /** Microseconds of processor time a command. */
  readonly processor: number;
  readonly found: number;
  readonly near: number;
}

/** @param print takes a table as soon as it is known */
export async function measureZipf(options: ZipfOptions, print: (text: string) => void): Promise<Row[]> {
  const nodes = await startRedises(NODES);
  const depths = options.depths.length === 0 ? [16] : options.depths;
  const rows: Row[] = [];
  let isFilled = false;
  for (const exponent of EXPONENTS) {
    for (const depth of depths) {
      for (const { name, args } of CASES) {
        const proxy = await startRingproxy({ nodes, args });
        if (!isFilled) await writeKeys(proxy.port, PREFIX, KEYS);
        isFilled = true;
        const load = { port: proxy.port, keys: KEYS, prefix: PREFIX, clients: options.clients, writeEvery: 0 };
        rows.push(row(name, exponent, depth, await measure(proxy, nodes, { ...load, exponent, depth }, options)));
        await proxy.stop();
      }
    }
  }
  const header = ['Zipf', 'P', '', 'cmd/s', 'CPU µs/cmd', 'p99 ms', 'hottest node', 'least', 'kept near'];
  header.push(`of the ${TOP} hottest found`, 'bar', '');
  print(`\n${KEYS.toLocaleString('en-US')} keys on ${NODES} nodes, ${options.clients} clients that read\n`);
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  return rows;
}

async function measure(
  proxy: RingproxyProcess,
  nodes: readonly RedisProcess[],
  load: SkewedLoadOptions,
  { seconds }: ZipfOptions,
): Promise<Measured> {
  const observers = await Promise.all(nodes.map((node) => RawClient.connect(node.port)));
  const clients = await SkewedLoad.start(load);
  await clients.window(WARM_UP_MS);
  const before = await countsOf(observers);
  const usedBefore = processorTime(proxy.pid);
  const result = await clients.window(seconds * 1000);
  const used = processorTime(proxy.pid) - usedBefore;
  const after = await countsOf(observers);
  const hot = (await (await fetch(`${proxy.admin}/v1/hot?limit=256`)).json()) as HotView;
  await clients.stop();
  for (const observer of observers) observer.close();
  const counts = after.map((count, index) => count - (before[index] ?? 0));
  const sum = counts.reduce((total, count) => total + count, 0);
  const told = new Set(hot.keys.slice(0, TOP).map(({ key }) => key));
  // As many are told as are looked for, so it is both how many of them are found and how many of those found are right.
  const found = result.hottest.slice(0, TOP).filter(([rank]) => told.has(skewedKey(PREFIX, rank)));
  return {
    load: result,
    shares: counts.map((count) => count / sum),
    processor: used / result.commands,
    found: found.length / TOP,
    near: hot.keys.filter(({ near }) => near).length,
  };
}

function row(name: string, exponent: number, depth: number, { load, shares, processor, found, near }: Measured): Row {
  const passed = found >= FOUND_BAR;
  const part = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return {
    passed,
    cells: [
      ...[String(exponent), String(depth), name, `${Math.round(load.commands / load.seconds / 1000)} k`],
      ...[processor.toFixed(2), load.p99.toFixed(2), part(Math.max(...shares)), part(Math.min(...shares))],
      ...[String(near), part(found), `≥ ${FOUND_BAR * 100} %`, verdict(passed)],
    ],
  };
}

/** Commands that each node has carried out. */
async function countsOf(observers: readonly RawClient[]): Promise<number[]> {
  const texts = await Promise.all(observers.map((observer) => observer.text('INFO', 'stats')));
  return texts.map((text) => Number(/total_commands_processed:(\d+)/.exec(text)?.[1]));
}
