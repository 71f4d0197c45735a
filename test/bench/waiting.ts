/**
 * What clients that only wait cost those that do not: `redis-benchmark` beside 10,000 subscribed and beside 5,000
 * blocked clients, in turn with a proxy that has neither.
 */
import net, { type Socket } from 'node:net';
import type { RedisProcess } from '../support/redis-process.js';
import { startRingproxy } from '../support/ringproxy-process.js';
import { prefill } from './prefill.js';
import { residentMemory } from './process-usage.js';
import { markdown, megabytes, percent, type Row, verdict } from './report.js';
import { type RoundOptions, runRounds, type Sample } from './rounds.js';
import { isPlainLoad, SCENARIOS } from './scenarios.js';
import { spread } from './statistics.js';
import type { Target } from './targets.js';

const KEYS = 100_000;
const VALUE = 64;
/** Part of the commands a second that must be left. */
const BAR = 0.9;
/** Connections that are opened at a time: less than a listener's backlog. */
const AT_ONCE = 200;
const QUEUES = 50;

interface Crowd {
  readonly name: string;
  readonly clients: number;
  /** What each of them sends. */
  readonly command: (client: number) => string;
  /** Whether what it gets tells that it waits; otherwise it gets nothing while it does. */
  readonly isAnswered: boolean;
}

const CROWDS: readonly Crowd[] = [
  { name: '10,000 subscribed', clients: 10_000, command: (i) => `SUBSCRIBE all own:${i}`, isAnswered: true },
  { name: '5,000 blocked', clients: 5_000, command: (i) => `BLPOP queue:${i % QUEUES} 0`, isAnswered: false },
];

interface WaitingOptions extends RoundOptions {
  /** Pipeline depths; empty: all of them. */
  readonly depths: readonly number[];
}

/** @param print takes a line as soon as it is known */
export async function measureWaiting(
  nodes: readonly RedisProcess[],
  options: WaitingOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  await prefill(nodes, KEYS, VALUE);
  const alone = await startTarget('alone', nodes);
  const crowded: Target[] = [];
  const sockets: Socket[] = [];
  const memory: string[][] = [];
  for (const crowd of CROWDS) {
    const target = await startTarget(crowd.name, nodes);
    const before = residentMemory(target.pid);
    sockets.push(...(await gather(target, crowd, nodes)));
    const after = residentMemory(target.pid);
    const each = `${((after - before) / crowd.clients / 1024).toFixed(1)} KB`;
    memory.push([crowd.name, megabytes(before), megabytes(after), each]);
    crowded.push(target);
  }
  const rows: Row[] = [];
  for (const scenario of SCENARIOS.filter((candidate) => isPlainLoad(candidate, options.depths))) {
    const samples = await runRounds(scenario, [alone, ...crowded], options);
    for (const target of crowded) rows.push(row(scenario.name, scenario.load.depth, target, alone, samples));
  }
  for (const socket of sockets) socket.destroy();
  for (const target of [alone, ...crowded]) await target.stop();
  print(`\n${options.rounds} rounds of ${options.seconds} s in turn\n`);
  const header = ['beside', 'scenario', 'P', 'alone cmd/s', 'cmd/s', 'left (min–max)', 'bar', ''];
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  print(`\n${markdown(['memory', 'before', 'then', 'each'], memory)}`);
  return rows;
}

function row(
  name: string,
  depth: number,
  target: Target,
  alone: Target,
  samples: ReadonlyMap<Target, readonly Sample[]>,
): Row {
  const of = (each: Target): readonly Sample[] => samples.get(each) ?? [];
  const rate = (each: Target): string => `${Math.round(spread(of(each).map((sample) => sample.rate)).median / 1000)} k`;
  const left = spread(of(target).map((sample, round) => sample.rate / (of(alone)[round]?.rate ?? Number.NaN)));
  const passed = left.median >= BAR;
  return {
    passed,
    cells: [
      target.name,
      name,
      String(depth),
      rate(alone),
      rate(target),
      percent(left),
      `≥ ${BAR * 100} %`,
      verdict(passed),
    ],
  };
}

async function startTarget(name: string, nodes: readonly RedisProcess[]): Promise<Target> {
  const proxy = await startRingproxy({ nodes, config: 'max-clients: 12000\n' });
  return { name, port: proxy.port, pid: proxy.pid, stop: () => proxy.stop() };
}

/** Opens a crowd's connections. @returns them when all of them wait */
async function gather(target: Target, crowd: Crowd, nodes: readonly RedisProcess[]): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < crowd.clients) {
    const count = Math.min(AT_ONCE, crowd.clients - sockets.length);
    const first = sockets.length;
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: count }, (_, i) => open(target.port, crowd.command(first + i), crowd.isAnswered)),
      )),
    );
  }
  if (!crowd.isAnswered) await blockedAt(nodes, crowd.clients);
  return sockets;
}

function open(port: number, command: string, isAnswered: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(`${command}\r\n`);
      if (!isAnswered) resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the proxy closed a client that had sent ${command}`)));
    socket.once('data', (data) => {
      if (data[0] === 0x2d) reject(new Error(`${command} was answered ${data.toString()}`));
      else resolve(socket);
    });
  });
}

async function blockedAt(nodes: readonly RedisProcess[], clients: number): Promise<void> {
  const connections = nodes.map((node) => node.client());
  for (let blocked = 0; blocked < clients; ) {
    const infos = await Promise.all(connections.map((connection) => connection.info('clients')));
    blocked = infos.reduce((sum, info) => sum + Number(/^blocked_clients:(\d+)/m.exec(info)?.[1] ?? 0), 0);
  }
  for (const connection of connections) connection.disconnect();
}
