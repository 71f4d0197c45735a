import type { Load } from './redis-benchmark.js';

/** What the product must reach, relative to twemproxy in the same run. */
interface Bar {
  /** At least so many times its commands a second. */
  readonly rate: number;
  /** At most so many times its 99th percentile. */
  readonly p99: number;
}

export interface Scenario {
  readonly name: string;
  readonly load: Omit<Load, 'clients' | 'requests'>;
  /** Null: measured for information. */
  readonly bar: Bar | null;
}

const KB = 1024;

const scenario = (
  name: string,
  command: Load['command'],
  depth: number,
  valueSize: number,
  keys: number,
  rate: number | null,
): Scenario => ({
  name,
  load: { command, depth, valueSize, keys },
  bar: rate === null ? null : { rate, p99: 1 },
});

const MGET = ['mget', ...Array<string>(10).fill('key:__rand_int__')];

/** Neighbours share their data, so that it is loaded once. */
export const SCENARIOS: readonly Scenario[] = [
  ...['get', 'set'].flatMap((command) => [
    scenario(command, command, 1, 64, 100_000, 1),
    scenario(command, command, 16, 64, 100_000, 2),
    scenario(command, command, 64, 64, 100_000, 3),
  ]),
  scenario('mget10', MGET, 1, 64, 100_000, 1),
  scenario('mget10', MGET, 16, 64, 100_000, 1.5),
  scenario('mset10', 'mset', 1, 64, 100_000, 1),
  scenario('mset10', 'mset', 16, 64, 100_000, 1.5),
  scenario('get-1kb', 'get', 1, KB, 20_000, null),
  scenario('set-1kb', 'set', 1, KB, 20_000, null),
  scenario('get-10kb', 'get', 1, 10 * KB, 5_000, 1),
  scenario('set-10kb', 'set', 1, 10 * KB, 5_000, 1),
  scenario('get-100kb', 'get', 1, 100 * KB, 500, 1),
  scenario('set-100kb', 'set', 1, 100 * KB, 500, 1),
];

/** GET or SET of small values. @param depths pipeline depths; empty: all of them */
export function isPlainLoad({ name, load }: Scenario, depths: readonly number[]): boolean {
  return (name === 'get' || name === 'set') && (depths.length === 0 || depths.includes(load.depth));
}

export interface FloorScenario {
  readonly scenario: Scenario;
  readonly clients: number;
}

const FLOOR_NAMES = ['get', 'set', 'mget10', 'mset10', 'get-10kb'];
const MANY_CLIENTS = 500;

/** What the product's processor time is taken apart for. @param clients null: each has its own number */
export function floorScenarios(clients: number | null): FloorScenario[] {
  return SCENARIOS.filter(({ name }) => FLOOR_NAMES.includes(name)).flatMap((scenario) => {
    const isFirst = scenario === SCENARIOS[0];
    const counts = clients !== null ? [clients] : isFirst ? [50, MANY_CLIENTS] : [50];
    return counts.map((count) => ({ scenario, clients: count }));
  });
}
