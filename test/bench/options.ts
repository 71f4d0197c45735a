import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Names of scenarios; empty: all of them. */
  readonly only: readonly string[];
  /** Pipeline depths; empty: all of them. */
  readonly depths: readonly number[];
  readonly rounds: number;
  /** How long each target is under load in each round. */
  readonly seconds: number;
  readonly clients: number;
  /** Whether they were named: scenarios that have a number of their own take this one instead. */
  readonly clientsNamed: boolean;
  /** Paths of Node.js that run the product and the floor; empty: the one that runs the benchmark. */
  readonly runtimes: readonly string[];
  /** Exit code 1 when the bar is missed. */
  readonly check: boolean;
  /** A commit to compare with, or null. */
  readonly base: string | null;
  readonly direct: boolean;
}

const HELP = `npm run bench -- [SCENARIO…] [options]

Scenarios: get set mget10 mset10 get-1kb set-1kb get-10kb set-10kb get-100kb set-100kb idle big-value rebalance
  waiting stampede metrics caching micro floor
(default: all of them)

floor prints user and system time a command of the least that forwards (floor), the product, twemproxy, predixy and a
bare Redis. Scenarios named beside it are those that it runs: floor get set --depth 1. With --clients 1000 and more,
GET and SET are measured while all of them are connected already.

tls and tls-connections compare with HAProxy and stunnel in front of a plain ringproxy: they run only when named

caching has parts, named behind it: hot-keys, near, policy-cost, replicated, zipf, types (or types-sharded, types-near,
types-replicated alone), failures (as root: networks are cut), such as caching zipf; all of them without a name

  --only A,B      the same as naming them
  --depth 1,16    only these pipeline depths
  --rounds N      alternating rounds (default 5)
  --seconds S     seconds under load for each target and round (default 2)
  --quick         2 rounds of half a second
  --clients N     connections (default 50; floor: each scenario's own)
  --node PATH     the Node.js that runs the product and the floor (default: the recommended one where
                  "npm run runtime" has brought it); given again: others, in the same rounds
  --base REF      also measure the program as of this commit
  --no-direct     leave out the bare Redis
  --check         exit with 1 when the bar is missed

PREDIXY=PATH names predixy's program, which no system packages: it is measured, too.
`;

/** @returns the options, or null when help was asked for and printed. @throws Error on unknown flags and bad values */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      depth: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      clients: { type: 'string' },
      node: { type: 'string', multiple: true, default: [] },
      base: { type: 'string' },
      'no-direct': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  return {
    only: [...positionals, ...list(values.only)],
    depths: list(values.depth).map((depth) => positive('--depth', depth)),
    rounds: positive('--rounds', values.rounds ?? (values.quick ? '2' : '5')),
    seconds: positive('--seconds', values.seconds ?? (values.quick ? '0.5' : '2')),
    clients: positive('--clients', values.clients ?? '50'),
    clientsNamed: values.clients !== undefined,
    runtimes: values.node,
    check: values.check,
    base: values.base ?? null,
    direct: !values['no-direct'],
  };
}

function list(value: string | undefined): string[] {
  return (value ?? '').split(',').filter((item) => item !== '');
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} takes a positive number, not "${text}"`);
  return value;
}
