/**
 * What clients of each caching type notice in the seconds after a node was killed, a proxy was killed, and a proxy was
 * cut off from everything but its clients: a fleet of three proxies and three nodes on hosts of their own, with settings
 * as they are by default.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Fleet, type FleetProxy, startFleet } from '../../support/fleet.js';
import { canMakeNetworks } from '../../support/netns/namespace.js';
import { type Host, Network } from '../../support/netns/network.js';
import { RawClient } from '../../support/raw-client.js';
import type { RedisProcess } from '../../support/redis-process.js';
import { markdown, type Row } from '../report.js';
import { EVERY_MS, FailureClients, type Tally, Versions, versionOf } from './failure-clients.js';

const TYPES = ['sharded', 'near', 'replicated'] as const;
type Type = (typeof TYPES)[number];

/** Of each type, for each proxy's writer. */
const KEYS = 20;
const WARM_UP_MS = 3000;
const WINDOW_MS = 5000;
/** In which others come to have what was written: comparing takes its time. */
const MERGE_MS = 30_000;
const LOOK_AGAIN_MS = 100;
/** The tests' own patience with a busy machine is not what is measured. */
const CONFIG = `connect-timeout: 1s
key-groups:
${TYPES.map((type) => `  ${type}: { prefixes: "${type}:", cache: ${type} }\n`).join('')}`;

/** Of one type: its clients by proxy, and what they have written. */
interface Clients {
  readonly type: Type;
  readonly versions: Versions;
  readonly byProxy: readonly FailureClients[];
}

interface Event {
  readonly name: string;
  /** Whose clients are told of apart: those of the last proxy; null: of none. */
  readonly apart: 'those of the killed proxy' | 'those at the proxy' | null;
  readonly happens: () => Promise<unknown>;
  readonly ends: () => Promise<unknown>;
}

/** @param print takes the table */
export async function measureFailures(print: (text: string) => void): Promise<Row[]> {
  const network = canMakeNetworks() ? await Network.make() : null;
  const fleet = await startFleet({ ...(network === null ? {} : { network }), config: CONFIG, allowLog: [/./] });
  const [node] = fleet.nodes.slice(-1) as [RedisProcess];
  const [proxy] = fleet.proxies.slice(-1) as [FleetProxy];
  const events: Event[] = [
    { name: 'a node is killed', apart: null, happens: () => node.stop(), ends: () => node.start() },
    {
      name: 'a proxy is killed',
      apart: 'those of the killed proxy',
      happens: () => proxy.kill(),
      ends: () => proxy.start(),
    },
  ];
  if (network !== null) {
    const rest = [...fleet.places.nodes, ...fleet.places.etcd];
    events.push({
      name: 'a proxy is cut off from nodes, etcd and proxies',
      apart: 'those at the proxy',
      happens: async () => network.cut([proxy.place as Host], [...rest, ...hostsOf(fleet.proxies.slice(0, -1))]),
      ends: () => network.heal(),
    });
  }
  const rows: Row[] = [];
  for (const event of events) rows.push(...(await measureEvent(fleet, event)));
  print(
    `\nOf the reads that were due in the ${WINDOW_MS / 1000} s after the event, each client one every ${EVERY_MS} ms; three proxies, three nodes, a third of the keys on each, each key written about once a second\n`,
  );
  const header = ['event', 'clients', 'type', 'right', 'stale (longest)', 'refused', 'waited'];
  header.push('writes acknowledged', 'of these lost');
  print(
    markdown(
      header,
      rows.map(({ cells }) => [...cells]),
    ),
  );
  if (network === null) print('\nA network can be cut only as root on Linux: that part was left out.');
  return rows;
}

async function measureEvent(fleet: Fleet, { name, apart, happens, ends }: Event): Promise<Row[]> {
  const all = TYPES.map((type) => clientsOf(fleet, type));
  for (const { byProxy } of all) for (const clients of byProxy) clients.start();
  await pause(WARM_UP_MS);
  await happens();
  for (const { byProxy } of all) for (const clients of byProxy) clients.count();
  await pause(WINDOW_MS);
  const counted = all.map(({ byProxy }) => byProxy.map((clients) => clients.counted()));
  for (const { byProxy } of all) await Promise.all(byProxy.map((clients) => clients.stop()));
  await ends();
  await fleet.everyone('all are there', ({ nodes, proxies }) => {
    const areUp = nodes.every(({ state, downFor }) => state === 'active' && downFor.length === 0);
    return areUp && proxies.filter(({ alive }) => alive).length === fleet.proxies.length;
  });
  const rows: Row[] = [];
  for (const [i, { type, versions }] of all.entries()) {
    const ofType = counted[i] ?? [];
    const lost = `${await lostOf(fleet.proxies, type, versions)} of ${versions.keys.length} keys`;
    const groups =
      apart === null
        ? [{ who: 'all', some: ofType }]
        : [
            { who: apart, some: ofType.slice(-1) },
            { who: 'the others', some: ofType.slice(0, -1) },
          ];
    for (const { who, some } of groups) {
      const due = some.reduce((sum, { writes }) => sum + writes.due, 0);
      const acknowledged = some.reduce((sum, { writes }) => sum + writes.acknowledged, 0);
      const cells = [name, who, type, ...sharesOf(some.map(({ reads }) => reads)), part(acknowledged, due), lost];
      rows.push({ passed: null, cells });
    }
  }
  return rows;
}

let runs = 0;

function clientsOf({ proxies }: Fleet, type: Type): Clients {
  const versions = new Versions();
  const run = runs++;
  const keys = proxies.map((_proxy, i) => Array.from({ length: KEYS }, (_, n) => `${type}:${run}:${i}:${n}`));
  const byProxy = keys.map((own, i) => new FailureClients(proxies, i, own, keys.flat(), versions));
  return { type, versions, byProxy };
}

function sharesOf(tallies: readonly Tally[]): string[] {
  const sum = (pick: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + pick(tally), 0);
  const [right, stale, refused, waited] = (['right', 'stale', 'refused', 'waited'] as const).map((kind) =>
    sum((tally) => tally[kind]),
  ) as [number, number, number, number];
  const due = right + stale + refused + waited;
  const longest = Math.max(...tallies.map((tally) => tally.longest));
  return [
    part(right, due),
    stale === 0 ? '0' : `${part(stale, due)} (${Math.round(longest)} ms)`,
    part(refused, due),
    part(waited, due),
  ];
}

/** @returns keys of which some proxy has an older version than was acknowledged, once they have had time to merge */
async function lostOf(proxies: readonly FleetProxy[], type: Type, versions: Versions): Promise<number> {
  // What nodes have is there at once, or gone.
  const end = performance.now() + (type === 'replicated' ? MERGE_MS : 0);
  const latest = performance.now() + MERGE_MS;
  const lost = new Set<string>();
  const look = async ({ port, host }: FleetProxy): Promise<void> => {
    const client = await RawClient.connect(port, host);
    for (let missing: readonly string[] = versions.keys; missing.length > 0; await pause(LOOK_AGAIN_MS)) {
      const replies = await client.pipeline(missing.map((key) => ['GET', key]));
      missing = missing.filter((key, i) => !(versionOf(replies[i] as Buffer) >= versions.latest(key)));
      // A proxy that was cut off may still say that it does not serve.
      const areAnswered = !replies.some((reply) => Number.isNaN(versionOf(reply)));
      if (performance.now() < end || !(areAnswered || performance.now() > latest)) continue;
      for (const key of missing) lost.add(key);
      break;
    }
    client.close();
  };
  await Promise.all(proxies.map(look));
  return lost.size;
}

function hostsOf(proxies: readonly FleetProxy[]): Host[] {
  return proxies.map(({ place }) => place as Host);
}

function part(some: number, all: number): string {
  if (all === 0 || some === 0) return '0';
  return `${((100 * some) / all).toFixed(1)} %`;
}
