import { type Command, InvalidArgumentError } from 'commander';
import { AdminClient } from '../src/client/admin-client.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { runLive } from './live.js';
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
  const { interval, count, json } = options;
  await runLive(await firstSample(client, interval), {
    read: () => readSample(client, interval),
    lines: describeSample,
    json: json === true,
    ...{ count, interval, toJson },
  });
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
