/**
 * A hot key that expires, before a slow origin: how many of the clients that miss it ask the origin, and how long they
 * wait, without `fill-wait` and with it. The origin is a timer: it answers each query after as long.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { markdown, type Row, verdict } from './report.js';

const CLIENTS = 500;
const ORIGIN_MS = 200;
const TTL_MS = 1000;
/** Expiries that are waited for. */
const EXPIRIES = 6;
/** Between two reads of a client. */
const PAUSE_MS = 20;
/** Queries to the origin for each expiry. */
const BAR = 1.5;
const NIL = '$-1\r\n';

interface Way {
  readonly name: string;
  readonly policy: string;
  readonly workers: number;
  /** Whether more queries than the bar are a failure. */
  readonly isBound: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'sharded', policy: '', workers: 1, isBound: false },
  { name: 'fill-wait', policy: 'fill-wait: 1s', workers: 1, isBound: true },
  { name: 'fill-wait, two workers', policy: 'fill-wait: 1s', workers: 2, isBound: true },
  {
    name: 'near, fill-wait, stale, early-refresh',
    policy: 'cache: near, near-ttl: 1s, fill-wait: 1s, stale: 2s, early-refresh: on',
    workers: 1,
    isBound: true,
  },
];

interface Measured {
  readonly queries: number;
  readonly mostAtOnce: number;
  readonly reads: number;
  /** Milliseconds. */
  readonly p99: number;
  readonly longest: number;
}

/** @param print takes the table */
export async function measureStampede(print: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const way of WAYS) rows.push(rowOf(way, await measure(way)));
  const what = `${CLIENTS} clients read one key that lives for ${TTL_MS} ms, the origin takes ${ORIGIN_MS} ms`;
  const header = [what, 'queries an expiry', 'most at once', 'reads', 'p99 ms', 'longest ms', 'bar', ''];
  print(
    `\n${markdown(
      header,
      rows.map((row) => [...row.cells]),
    )}`,
  );
  return rows;
}

async function measure({ policy, workers }: Way): Promise<Measured> {
  const nodes = await startRedises(3);
  const config = `key-groups: { pages: { prefixes: ["page:"]${policy === '' ? '' : `, ${policy}`} } }`;
  const proxy = await startRingproxy({ nodes, config, args: ['--workers', String(workers)] });
  const clients: RawClient[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await RawClient.connect(proxy.port));
  let queries = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  const times: number[] = [];
  const end = performance.now() + EXPIRIES * (TTL_MS + ORIGIN_MS);
  const read = async (client: RawClient): Promise<void> => {
    while (performance.now() < end) {
      const begin = performance.now();
      const answer = await client.text('GET', 'page:hot');
      times.push(performance.now() - begin);
      if (answer === NIL) {
        queries++;
        mostAtOnce = Math.max(mostAtOnce, ++atOnce);
        await pause(ORIGIN_MS);
        atOnce--;
        await client.command('SET', 'page:hot', 'value', 'PX', String(TTL_MS));
      } else await pause(PAUSE_MS);
    }
  };
  await Promise.all(clients.map(read));
  for (const client of clients) client.close();
  await proxy.stop();
  for (const node of nodes) await node.stop();
  times.sort((a, b) => a - b);
  return {
    queries: queries / EXPIRIES,
    mostAtOnce,
    reads: times.length,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
    longest: times.at(-1) ?? 0,
  };
}

function rowOf({ name, isBound }: Way, { queries, mostAtOnce, reads, p99, longest }: Measured): Row {
  const passed = isBound ? queries <= BAR : null;
  const figures = [queries.toFixed(1), String(mostAtOnce), String(reads), p99.toFixed(1), longest.toFixed(1)];
  return { passed, cells: [name, ...figures, isBound ? `≤ ${BAR}` : '', verdict(passed)] };
}
