/** `ringproxy demo --caching`: the same load before and after a group of keys is cached otherwise. */
import type { StatsView } from '../../../src/admin/api.js';
import { AdminClient, type GroupsAsk } from '../../../src/client/admin-client.js';
import { formatCount, formatPercent, formatTable, numbers } from '../../format.js';
import { DemoServers } from '../servers.js';
import { PAGES, Readers } from './readers.js';
import { CLIENTS, ORIGIN_MS, type Outcome, stampede } from './stampede.js';

const NODES = ['node1', 'node2', 'node3', 'node4', 'node5'];
const GROUPS = ['--key-groups', 'pages=page: reports=report:'];
const ASK: GroupsAsk = { force: false, dryRun: false };
/** So that the proxy, its nodes and the clients have found their pace. */
const SETTLE_MS = 1500;
const LOOK_MS = 3000;

/** A span of time under load. */
interface Measured {
  readonly readsPerSecond: number;
  /** What each node had of the commands that reached a node. */
  readonly shares: readonly number[];
  /** Of all reads those that reached no node. */
  readonly inProxy: number;
}

export async function runCachingDemo(): Promise<void> {
  const servers = new DemoServers();
  const stop = (): void => process.exit(130);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const nodes = await Promise.all(NODES.map((name) => servers.startNode(name)));
    const proxy = await servers.startProxy(nodes, { flags: GROUPS });
    const admin = new AdminClient({ admin: proxy.admin });
    say(`proxy in front of ${NODES.join(', ')}; try it: redis-cli -p ${proxy.port}      ${proxy.admin}\n`);
    const isRight = [await skewedLoad(proxy.port, admin), await expiredPage(proxy.port, admin)];
    say('Groups are changed like that while clients go on: `ringproxy groups set pages --cache near`.');
    if (isRight.includes(false)) process.exitCode = 1;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    await servers.stop();
  }
}

/** @returns whether every read was answered with its page */
async function skewedLoad(port: number, admin: AdminClient): Promise<boolean> {
  const readers = new Readers(port);
  try {
    say(`1. Clients read ${formatCount(PAGES)} pages, most of them the same few (Zipf, exponent 1.2).`);
    await readers.fill();
    readers.start();
    const sharded = await measure(readers, admin);
    await admin.setGroup('pages', { cache: 'near' }, ASK);
    const near = await measure(readers, admin);
    const row = (name: string, { readsPerSecond, shares, inProxy }: Measured): string[] => [
      name,
      formatCount(Math.round(readsPerSecond)),
      ...shares.map((share) => formatCount(Math.round(readsPerSecond * (1 - inProxy) * share))),
      formatPercent(Math.max(...shares)),
      formatPercent(inProxy),
    ];
    const heads = ['READS/S', ...NODES.map((name) => `${name.toUpperCase()}/S`), 'HOTTEST NODE', 'HITS IN THE PROXY'];
    say(formatTable(['PAGES ARE', ...heads.map(numbers)], [row('sharded', sharded), row('near', near)]));
    if (readers.wrong > 0) say(`${formatCount(readers.wrong)} reads were not answered with their page`);
    say('');
    return readers.wrong === 0;
  } finally {
    await readers.stop();
  }
}

/** @returns whether every client had the page */
async function expiredPage(port: number, admin: AdminClient): Promise<boolean> {
  say(`2. A page has expired; ${CLIENTS} clients ask for it at once, and its origin takes ${ORIGIN_MS} ms.`);
  const without = await stampede(port);
  await admin.setGroup('reports', { 'fill-wait': '2s' }, ASK);
  const waiting = await stampede(port);
  const row = (name: string, { queries, seconds, failed }: Outcome): string[] => [
    name,
    formatCount(queries),
    `${Math.round(seconds * 1000)} ms`,
    formatCount(failed),
  ];
  const heads = ['QUERIES TO THE ORIGIN', 'ALL HAVE IT AFTER', 'CLIENTS WITHOUT IT'];
  say(formatTable(['MISSES', ...heads.map(numbers)], [row('all ask', without), row('wait for the first', waiting)]));
  say('');
  return without.failed + waiting.failed === 0;
}

async function measure(readers: Readers, admin: AdminClient): Promise<Measured> {
  await pause(SETTLE_MS);
  const before = await admin.stats();
  const [reads, began] = [readers.reads, performance.now()];
  await pause(LOOK_MS);
  const after = await admin.stats();
  const seconds = (performance.now() - began) / 1000;
  const loads = NODES.map((name) => commandsOf(after, name) - commandsOf(before, name));
  const atNodes = loads.reduce((sum, load) => sum + load, 0);
  const commands = after.commands - before.commands;
  return {
    readsPerSecond: (readers.reads - reads) / seconds,
    shares: loads.map((load) => load / Math.max(atNodes, 1)),
    inProxy: Math.max(0, 1 - atNodes / Math.max(commands, 1)),
  };
}

function commandsOf(stats: StatsView, name: string): number {
  return stats.nodeStats.find(({ node }) => node === name)?.commands ?? 0;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
