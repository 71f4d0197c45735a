/**
 * What a command costs in processor time, the process's own and the kernel's, beside the least that forwards: rates
 * depend on who shares the machine, this hardly does.
 */
import type { RedisProcess } from '../support/redis-process.js';
import { prefill } from './prefill.js';
import { count, markdown, type Row, ratios, verdict, withSpread } from './report.js';
import { type RoundOptions, runRounds, type Sample } from './rounds.js';
import { type FloorScenario, isPlainLoad } from './scenarios.js';
import { spread } from './statistics.js';
import { runSteadyRounds, STEADY_CLIENTS } from './steady.js';
import type { StartTarget, Target } from './targets.js';

/** Most user time, in parts of the floor's. */
const USER_BAR = 1.25;
/** Most of all the time, in parts of theirs, by the pipeline's depth; what is not named has no bar. */
const TWEMPROXY_BAR: Readonly<Record<number, number>> = { 1: 0.9 };
const PREDIXY_BAR: Readonly<Record<number, number>> = { 1: 1, 16: 0.85, 64: 0.85 };

/** The floor and what runs on the same Node.js. */
export interface FloorGroup {
  readonly floor: StartTarget;
  readonly product: StartTarget;
  readonly base: StartTarget | null;
}

export interface FloorStarts {
  readonly groups: readonly FloorGroup[];
  /** Null: not there. */
  readonly twemproxy: StartTarget | null;
  readonly predixy: StartTarget | null;
  readonly direct: StartTarget | null;
}

interface Entry {
  readonly target: Target;
  /** What its user time is compared with; null: with nothing. */
  readonly floor: Target | null;
  /** Whether it has to be above the bar. */
  readonly isSubject: boolean;
}

type Samples = ReadonlyMap<Target, readonly Sample[]>;

/** @param print takes a line as soon as it is known */
export async function measureFloor(
  nodes: readonly RedisProcess[],
  starts: FloorStarts,
  scenarios: readonly FloorScenario[],
  options: RoundOptions,
  print: (text: string) => void,
): Promise<Row[]> {
  const entries: Entry[] = [];
  const add = async (start: StartTarget, of: Omit<Entry, 'target'>): Promise<Target> => {
    const target = await start(nodes);
    entries.push({ target, ...of });
    return target;
  };
  for (const group of starts.groups) {
    const floor = await add(group.floor, { floor: null, isSubject: false });
    await add(group.product, { floor, isSubject: true });
    if (group.base !== null) await add(group.base, { floor, isSubject: false });
  }
  const other = (start: StartTarget | null) => start && add(start, { floor: null, isSubject: false });
  const twemproxy = await other(starts.twemproxy);
  const predixy = await other(starts.predixy);
  await other(starts.direct);
  if (predixy === null) print('predixy is not measured: PREDIXY=PATH names its program');

  const title = 'processor time, µs a command (min–max)';
  print(`${options.rounds} rounds of ${options.seconds} s in turn, medians; ${title}\n`);
  print(markdown(HEADER, []));
  const rows: Row[] = [];
  let loaded = '';
  for (const { scenario, clients } of scenarios) {
    const { keys, valueSize } = scenario.load;
    const data = `${keys} × ${valueSize}`;
    if (data !== loaded) await prefill(nodes, keys, valueSize);
    loaded = data;
    const targets = entries.map(({ target }) => target);
    const samples =
      clients >= STEADY_CLIENTS && isPlainLoad(scenario, [])
        ? await runSteadyRounds(scenario, targets, nodes, { ...options, clients })
        : await runRounds(scenario, targets, { ...options, clients });
    for (const entry of entries) {
      const row = floorRow({ scenario, clients }, entry, samples, twemproxy, predixy);
      rows.push(row);
      print(`| ${row.cells.join(' | ')} |`);
    }
  }
  for (const { target } of entries) await target.stop();
  return rows;
}

const HEADER = [
  ...['scenario', 'clients', 'P', 'target', 'user', 'system', 'both'],
  ...["user ÷ floor's", "both ÷ twemproxy's", "both ÷ predixy's", 'cmd/s', 'p99 ms', ''],
];

function floorRow(
  { scenario, clients }: FloorScenario,
  { target, floor, isSubject }: Entry,
  samples: Samples,
  twemproxy: Target | null,
  predixy: Target | null,
): Row {
  const own = samples.get(target) ?? [];
  const { depth } = scenario.load;
  const compared = [
    compare(own, floor, samples, (sample) => sample.processor.user, USER_BAR),
    compare(own, twemproxy, samples, (sample) => sample.processor.total, TWEMPROXY_BAR[depth]),
    compare(own, predixy, samples, (sample) => sample.processor.total, PREDIXY_BAR[depth]),
  ];
  const passed = isSubject ? compared.every(({ isMissed }) => !isMissed) : null;
  const microseconds = (pick: (sample: Sample) => number): string => {
    const { median, min, max } = spread(own.map(pick));
    return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
  };
  const cells = [
    ...[scenario.name, String(clients), String(depth), target.name],
    ...(['user', 'system', 'total'] as const).map((part) => microseconds(({ processor }) => processor[part])),
    ...compared.map(({ text, bar }) => (isSubject && bar !== undefined && text !== '' ? `${text} ≤ ${bar}` : text)),
    count(spread(own.map(({ rate }) => rate)).median),
    own.some(({ p99 }) => Number.isNaN(p99)) ? '' : spread(own.map(({ p99 }) => p99)).median.toFixed(2),
    verdict(passed),
  ];
  return { passed, cells };
}

function compare(
  own: readonly Sample[],
  reference: Target | null,
  samples: Samples,
  pick: (sample: Sample) => number,
  bar: number | undefined,
): { text: string; bar: number | undefined; isMissed: boolean } {
  const others = reference === null ? [] : (samples.get(reference) ?? []);
  if (others.length === 0 || others === own) return { text: '', bar, isMissed: false };
  const ratio = ratios(own, others, pick);
  return { text: withSpread(ratio), bar, isMissed: bar !== undefined && ratio.median > bar };
}
