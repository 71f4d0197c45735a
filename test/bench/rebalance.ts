import type { HistoryEntry, RingView } from '../../src/admin/api.js';
import { RawClient } from '../support/raw-client.js';
import { startRedises } from '../support/redis-process.js';
import { type RingproxyProcess, startRingproxy } from '../support/ringproxy-process.js';
import { ClientLoad } from './load-process.js';
import { type LoadResult, redisBenchmark } from './redis-benchmark.js';
import { type Row, verdict } from './report.js';

const KEYS = 1_000_000;
const VALUE = 64;
const FILL_BATCH = 20_000;
const CLIENTS = 50;
const LOAD_REQUESTS = 300_000;
/** Keys a second of the sweep without load. */
const IDLE_BAR = 50_000;
/** The same under load: what Redis Cluster's own reshard reached on two cores. */
const LOADED_BAR = 14_000;
/** p99 during the move, as a multiple of that before it. */
const P99_BAR = 1.5;

/**
 * How often is asked whether a change is over. Each question costs the proxy and this process a millisecond together, on the
 * processors that are measured: fifty a second took a tenth of the clients' rate.
 */
const ASK_MS = 400;

interface Move {
  readonly keys: number;
  readonly seconds: number;
}

/** Longest wait of a command, in milliseconds. */
const WAIT_BAR = 50;
/** How long clients are measured before and after a change. */
const WINDOW_MS = 5000;

/** How fast keys move to a fourth node, without load and under load, and what clients notice of it. */
export async function measureRebalance(): Promise<Row[]> {
  const nodes = await startRedises(4);
  const proxy = await startRingproxy({ nodes: nodes.slice(0, 3) });
  const join = { kind: 'add', add: [{ name: 'node4', address: nodes[3]?.address }] };
  const leave = { kind: 'remove', remove: ['node4'] };
  await fill(proxy);
  const idle = await change(proxy, join);
  await change(proxy, leave);
  const rate = (move: Move): number => move.keys / move.seconds;
  const rows = [
    row('moved without load', `${count(rate(idle))} keys/s`, `≥ ${count(IDLE_BAR)}`, rate(idle) >= IDLE_BAR),
  ];
  for (const writes of [0, 20]) {
    const what = `${CLIENTS} ioredis clients, ${writes === 0 ? 'GET' : `${100 - writes} % GET, ${writes} % SET`}`;
    const load = await ClientLoad.start({ port: proxy.port, clients: CLIENTS, keys: KEYS, writes, valueSize: VALUE });
    await load.window(WINDOW_MS);
    const before = await load.window(WINDOW_MS);
    const moving = change(proxy, join);
    const moved = await moving;
    const during = await load.window(0);
    const after = await load.window(WINDOW_MS);
    load.stop();
    await change(proxy, leave);
    rows.push(
      row(`moved under ${what}`, `${count(rate(moved))} keys/s`, `> ${count(LOADED_BAR)}`, rate(moved) > LOADED_BAR),
      row(
        'their p99 while keys move, against before',
        `${during.p99.toFixed(2)} ms / ${before.p99.toFixed(2)} ms`,
        `≤ ${P99_BAR} ×`,
        during.p99 <= before.p99 * P99_BAR,
      ),
      row(
        'the longest wait while keys move, against before',
        `${during.max.toFixed(1)} ms / ${before.max.toFixed(1)} ms`,
        `≤ ${WAIT_BAR} ms`,
        during.max <= WAIT_BAR,
      ),
      row(
        'errors and misses',
        `${during.errors + after.errors} / ${during.misses + after.misses}`,
        '0 / 0',
        during.errors + after.errors + during.misses + after.misses === 0,
      ),
      row(
        'commands/s before, while keys move, after',
        [before, during, after].map(({ commands, seconds }) => count(commands / seconds)).join(' / '),
        '',
        null,
      ),
    );
  }
  rows.push(...(await saturated(proxy, join)));
  await proxy.stop();
  return rows;
}

/** With a load generator that takes all that the machine has to give. */
async function saturated(proxy: RingproxyProcess, join: object): Promise<Row[]> {
  const load = (): Promise<LoadResult> =>
    redisBenchmark(proxy.port, {
      command: 'get',
      clients: CLIENTS,
      depth: 1,
      valueSize: VALUE,
      keys: KEYS,
      requests: LOAD_REQUESTS,
    });
  const before = await load();
  const running = load();
  const moved = await change(proxy, join);
  const during = await running;
  const after = await load();
  return [
    row(
      `moved under redis-benchmark, ${CLIENTS} clients`,
      `${count(moved.keys / moved.seconds)} keys/s`,
      `> ${count(LOADED_BAR)}`,
      moved.keys / moved.seconds > LOADED_BAR,
    ),
    row(
      'p99 of a run with the move in it, against before',
      `${during.p99.toFixed(2)} ms / ${before.p99.toFixed(2)} ms`,
      `≤ ${P99_BAR} ×`,
      during.p99 <= before.p99 * P99_BAR,
    ),
    row(
      'commands/s before, with the move, after',
      [before, during, after].map((result) => count(result.rate)).join(' / '),
      '',
      null,
    ),
  ];
}

async function fill(proxy: RingproxyProcess): Promise<void> {
  const client = await RawClient.connect(proxy.port);
  const value = 'x'.repeat(VALUE);
  for (let first = 0; first < KEYS; first += FILL_BATCH) {
    const commands = Array.from({ length: FILL_BATCH }, (_, i) => [
      'SET',
      `key:${String(first + i).padStart(12, '0')}`,
      value,
    ]);
    await client.pipeline(commands);
  }
  client.close();
  await client.closed;
}

async function change(proxy: RingproxyProcess, body: object): Promise<Move> {
  const answer = await fetch(`${proxy.admin}/v1/ring/changes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  for (;;) {
    const view = (await (await fetch(`${proxy.admin}/v1/ring`)).json()) as RingView;
    if (view.change === null) break;
    if (view.change.error !== null) throw new Error(view.change.error);
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
  const history = (await (await fetch(`${proxy.admin}/v1/ring/history`)).json()) as HistoryEntry[];
  const last = history.at(-1);
  return { keys: last?.keysMoved ?? 0, seconds: last?.durationSeconds ?? 0 };
}

function row(what: string, found: string, bar: string, passed: boolean | null): Row {
  return { passed, cells: [what, found, bar, verdict(passed)] };
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
