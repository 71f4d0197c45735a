import { type Command, InvalidArgumentError } from 'commander';
import { AdminClient } from './admin-client.js';
import { CliError } from './cli-error.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { Screen } from './screen.js';
import { describeSample, rowsOf, type Sample } from './top-view.js';

interface TopOptions extends CommonOptions {
  readonly interval: number;
  readonly count?: number;
}

const DEFAULT_INTERVAL = 2;
/** The proxy keeps so many seconds. */
const MOST_SECONDS = 300;
const FIRST_SECOND_MS = 1100;

/** `ringproxy top` */
export function registerTopCommand(program: Command): void {
  withCommonOptions(
    program
      .command('top')
      .description('the load, the nodes and the running change, live; once where the output is no terminal')
      .option('--interval <seconds>', 'seconds between two samples, 1 to 300', parseInterval, DEFAULT_INTERVAL)
      .option('--count <samples>', 'end after so many samples', parseCount),
  ).action((options: TopOptions) => top(options));
}

async function top(options: TopOptions): Promise<void> {
  const client = new AdminClient(options);
  const live = options.json !== true && process.stdout.isTTY === true && process.env.TERM !== 'dumb';
  const endless = live || options.json === true;
  const count = options.count ?? (endless ? Number.POSITIVE_INFINITY : 1);
  const stop = untilStopped();
  const first = await firstSample(client, options.interval);
  if (live) await show(client, first, { ...options, count, stop });
  else await print(client, first, { ...options, count, stop });
  stop.forget();
}

interface Run extends TopOptions {
  readonly count: number;
  readonly stop: Stop;
}

/** A sample below the other, for programs and files. */
async function print(client: AdminClient, first: Sample, { json, interval, count, stop }: Run): Promise<void> {
  let sample = first;
  for (let shown = 1; ; shown++) {
    const text = json === true ? JSON.stringify(toJson(sample)) : describeSample(sample).join('\n');
    process.stdout.write(`${text}\n`);
    if (shown >= count || (await stop.within(interval * 1000))) return;
    sample = await readSample(client, interval);
  }
}

/** On the whole terminal; the last sample stays behind. */
async function show(client: AdminClient, first: Sample, { interval, count, stop }: Run): Promise<void> {
  let sample = first;
  let trouble: string | undefined;
  const screen = new Screen(process.stdout, () => draw());
  const lines = (): string[] =>
    describeSample(sample, { width: screen.columns, ...(trouble === undefined ? {} : { trouble }) });
  const draw = (): void => screen.draw(cutTo(screen.rows, lines()));
  screen.open();
  try {
    for (let shown = 1; ; shown++) {
      draw();
      if (shown >= count || (await stop.within(interval * 1000))) break;
      try {
        sample = await readSample(client, interval);
        trouble = undefined;
      } catch (error) {
        // A person who looks on wants to see the proxy come back; a program wants to know.
        if (!(error instanceof CliError)) throw error;
        trouble = error.message;
      }
    }
  } finally {
    screen.close();
  }
  process.stdout.write(`${lines().join('\n')}\n`);
}

/** Says so where lines do not fit. */
function cutTo(rows: number, lines: readonly string[]): readonly string[] {
  if (lines.length <= rows) return lines;
  return [...lines.slice(0, rows - 1), `… and ${lines.length - rows + 1} lines more: the terminal is too low`];
}

async function readSample(client: AdminClient, seconds: number): Promise<Sample> {
  const [load, ring] = await Promise.all([client.load(seconds), client.ring()]);
  return { load, ring };
}

/** In its first second a proxy has nothing to tell. */
async function firstSample(client: AdminClient, seconds: number): Promise<Sample> {
  try {
    return await readSample(client, seconds);
  } catch {
    await new Promise((resolve) => setTimeout(resolve, FIRST_SECOND_MS));
    return readSample(client, seconds);
  }
}

interface Stop {
  /** @returns whether it came within that time */
  within(milliseconds: number): Promise<boolean>;
  forget(): void;
}

/** Ctrl-C is how one ends it: no failure. */
function untilStopped(): Stop {
  let stopped = false;
  let wake = (): void => {};
  const onSignal = (): void => {
    stopped = true;
    wake();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    within: (milliseconds) =>
      new Promise((resolve) => {
        if (stopped) return resolve(true);
        const timer = setTimeout(() => resolve(false), milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }),
    forget: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/** One object a sample: the load, with each node's place in the ring beside its rates, and the running change. */
function toJson({ load, ring }: Sample): object {
  const { generation, phase, change, proxies, coordination } = ring;
  return { ...load, generation, phase, change, nodes: rowsOf({ load, ring }), proxies, coordination };
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new InvalidArgumentError(`expected 1 to ${MOST_SECONDS}`);
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected 1 or more');
}
