import { type Command, InvalidArgumentError } from 'commander';
import { createLogUpdate } from 'log-update';
import type { LoadView, NodeLoad, NodeView, RingView } from '../src/admin/api.js';
import { AdminClient } from './admin-client.js';
import { CliError } from './cli-error.js';
import { colors } from './colors.js';
import { type CommonOptions, withCommonOptions } from './common-options.js';
import { describeProgress } from './follow.js';
import { formatBytes, formatCount, formatName, formatPercent, formatSeconds, formatTable } from './format.js';

interface TopOptions extends CommonOptions {
  readonly interval: number;
  readonly count?: number;
}

/** What the ring is, and what it did within the last interval. */
interface Sample {
  readonly load: LoadView;
  readonly ring: RingView;
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
  const live = options.json !== true && process.stdout.isTTY === true;
  const endless = live || options.json === true;
  const count = options.count ?? (endless ? Number.POSITIVE_INFINITY : 1);
  const draw = createLogUpdate(process.stdout);
  const stop = untilStopped();
  let sample = await firstSample(client, options.interval);
  for (let shown = 1; ; shown++) {
    if (options.json === true) process.stdout.write(`${JSON.stringify(toJson(sample))}\n`);
    else if (live) draw(describeSample(sample));
    else process.stdout.write(`${describeSample(sample)}\n`);
    if (shown >= count || (await stop.within(options.interval * 1000))) break;
    try {
      sample = await readSample(client, options.interval);
    } catch (error) {
      // A person who looks on wants to see the proxy come back; a program wants to know.
      if (!live || !(error instanceof CliError)) throw error;
      draw(`${describeSample(sample)}\n\n${colors.red(error.message)}; trying again`);
      if (await stop.within(options.interval * 1000)) break;
    }
  }
  if (live) draw.done();
  stop.forget();
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

/** Ctrl-C is how one ends it: no failure. */
function untilStopped(): { within(milliseconds: number): Promise<boolean>; forget(): void } {
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
  const { generation, phase, change } = ring;
  return { ...load, generation, phase, change, nodes: rowsOf({ load, ring }) };
}

function rowsOf({ load, ring }: Sample): (NodeView & Partial<NodeLoad>)[] {
  return ring.nodes.map((node) => ({
    ...load.nodes.find((row) => row.node === node.name && row.address === node.address),
    ...node,
  }));
}

export function describeSample(sample: Sample): string {
  const { load, ring } = sample;
  const reads = load.hitsPerSecond + load.missesPerSecond;
  const facts = [
    ['commands', `${formatRate(load.commandsPerSecond)}/s`],
    ['errors', `${formatRate(load.errorsPerSecond)}/s`],
    ['hits', reads === 0 ? '-' : formatPercent(load.hitsPerSecond / reads)],
    ['p50', formatSeconds(load.p50)],
    ['p99', formatSeconds(load.p99)],
    ['clients', formatCount(load.clients)],
    ['held', formatCount(load.heldClients)],
    ['in', `${formatBytes(Math.round(load.bytesInPerSecond))}/s`],
    ['out', `${formatBytes(Math.round(load.bytesOutPerSecond))}/s`],
    ['loop late', formatSeconds(load.eventLoopLagSeconds)],
  ];
  const nodes = formatTable(
    [
      'NODE',
      'ADDRESS',
      'STATE',
      'SHARE',
      'LOAD',
      'COMMANDS/S',
      'ERRORS/S',
      'P50',
      'P99',
      'IN FLIGHT',
      'KEYS',
      'MEMORY',
    ],
    rowsOf(sample).map((node) => [
      formatName(node.name),
      node.address,
      node.state === 'active' ? colors.green(node.state) : colors.yellow(node.state),
      formatPercent(node.share),
      sumOfNodes(load) === 0 ? '-' : formatPercent((node.commandsPerSecond ?? 0) / sumOfNodes(load)),
      formatRate(node.commandsPerSecond ?? 0),
      formatRate(node.errorsPerSecond ?? 0),
      formatSeconds(node.p50 ?? null),
      formatSeconds(node.p99 ?? null),
      formatCount(node.inflight ?? null),
      formatCount(node.keys),
      formatBytes(node.usedMemory),
    ]),
  );
  return [
    `${colors.bold(`generation ${ring.generation}`)}, ${ring.phase}; the last ${Math.round(load.seconds)} s up to ${load.at}`,
    facts.map(([name, value]) => `${name} ${colors.bold(value)}`).join('   '),
    ring.change === null ? 'no change is under way' : describeProgress(ring.change),
    '',
    nodes,
  ].join('\n');
}

/** Commands on several keys go to several nodes: what the nodes did is more than what clients asked for. */
function sumOfNodes(load: LoadView): number {
  return load.nodes.reduce((sum, node) => sum + node.commandsPerSecond, 0);
}

/** Whole numbers, but for small rates, of which a decimal is worth something. */
function formatRate(rate: number): string {
  return formatCount(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate));
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
