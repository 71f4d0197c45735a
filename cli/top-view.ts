/** What `ringproxy top` shows, as wide as there is room for. */
import type { LoadView, NodeLoad, NodeView, RingView } from '../src/admin/api.js';
import { colors } from './colors.js';
import { describeProgress } from './follow.js';
import {
  clip,
  formatBytes,
  formatCount,
  formatName,
  formatPercent,
  formatSeconds,
  formatState,
  formatTable,
  numbers,
  widthOf,
  wrap,
} from './format.js';
import { describeProxies } from './proxies-view.js';

/** What the ring is, and what it did within the last interval. */
export interface Sample {
  readonly load: LoadView;
  readonly ring: RingView;
}

export type Row = NodeView & Partial<NodeLoad>;

export interface ViewOptions {
  /** Columns of the terminal; without it lines are as long as they are. */
  readonly width?: number;
  /** Why the sample is not newer. */
  readonly trouble?: string;
}

interface Column {
  readonly title: string;
  readonly isText?: boolean;
  cell(row: Row, load: LoadView): string;
}

/** Names and addresses are cut to so many characters where there is little room. */
const CLIPPED = 24;
const GAP = '   ';

const COLUMNS: readonly Column[] = [
  { title: 'NODE', isText: true, cell: (row) => formatName(row.name) },
  { title: 'ADDRESS', isText: true, cell: (row) => row.address },
  { title: 'STATE', isText: true, cell: (row) => formatState(row.state) },
  { title: 'SHARE', cell: (row) => formatPercent(row.share) },
  { title: 'LOAD', cell: (row, load) => formatLoad(row, load) },
  { title: 'COMMANDS/S', cell: (row) => formatRate(row.commandsPerSecond ?? 0) },
  { title: 'ERRORS/S', cell: (row) => formatRate(row.errorsPerSecond ?? 0) },
  { title: 'P50', cell: (row) => formatSeconds(row.p50 ?? null) },
  { title: 'P99', cell: (row) => formatSeconds(row.p99 ?? null) },
  { title: 'IN FLIGHT', cell: (row) => formatCount(row.inflight ?? null) },
  { title: 'KEYS', cell: (row) => formatCount(row.keys) },
  { title: 'MEMORY', cell: (row) => formatBytes(row.usedMemory) },
];

/** The first one is left out first. */
const LEFT_OUT = ['P50', 'IN FLIGHT', 'ADDRESS', 'MEMORY', 'ERRORS/S', 'KEYS', 'LOAD', 'P99', 'SHARE'];

/** Each node's place in the ring, beside what it did. */
export function rowsOf({ load, ring }: Sample): Row[] {
  return ring.nodes.map((node) => ({
    ...load.nodes.find((row) => row.node === node.name && row.address === node.address),
    ...node,
  }));
}

/** @returns the lines */
export function describeSample(
  sample: Sample,
  { width = Number.POSITIVE_INFINITY, trouble }: ViewOptions = {},
): string[] {
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
  const rows = rowsOf(sample);
  const reasons = rows.flatMap(({ name, reason }) => (reason === null ? [] : [`${formatName(name)}: ${reason}`]));
  const head = `${colors.bold(`generation ${ring.generation}`)}, ${ring.phase}; the last ${Math.round(load.seconds)} s up to ${load.at}`;
  return [
    ...wrap(head, width),
    ...(trouble === undefined ? [] : wrap(`${trouble}; trying again`, width).map(colors.red)),
    ...fillLines(
      facts.map(([name, value]) => `${name} ${colors.bold(value)}`),
      width,
    ),
    ...(ring.change === null ? ['no change is under way'] : wrap(describeProgress(ring.change), width)),
    ...reasons.flatMap((reason) => wrap(reason, width).map(colors.red)),
    ...troubleOf(ring).flatMap((text) => wrap(text, width).map(colors.red)),
    '',
    ...fitTable(rows, load, width),
    ...fleetLines(ring, width),
  ];
}

/** What is wrong between this proxy and those that it agrees with. One of an earlier version says nothing of it. */
function troubleOf({ coordination }: RingView): string[] {
  const trouble = coordination?.trouble ?? null;
  return trouble === null ? [] : [trouble];
}

/** Where there are several: what each does, as it tells the others. */
function fleetLines({ coordination, proxies }: RingView, width: number): string[] {
  if (coordination === undefined || coordination.kind === 'none') return [];
  return ['', ...describeProxies(proxies, width === Number.POSITIVE_INFINITY ? undefined : width).split('\n')];
}

/** As many items in a line as fit. */
function fillLines(items: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + GAP.length + widthOf(item) <= width) {
      lines[lines.length - 1] = `${last}${GAP}${item}`;
    } else {
      lines.push(item);
    }
  }
  return lines;
}

/** The table with what fits: first long names are cut, then columns left out. */
function fitTable(rows: readonly Row[], load: LoadView, width: number): string[] {
  const leftOut = new Set<string>();
  let longest = Number.POSITIVE_INFINITY;
  for (;;) {
    const columns = COLUMNS.filter(({ title }) => !leftOut.has(title));
    const lines = formatTable(
      columns.map(({ title, isText }) => (isText === true ? title : numbers(title))),
      rows.map((row) =>
        columns.map(({ title, cell }) => (title === 'STATE' ? cell(row, load) : clip(cell(row, load), longest))),
      ),
    ).split('\n');
    const next = LEFT_OUT[leftOut.size];
    if (next === undefined || lines.every((line) => widthOf(line) <= width)) return lines;
    if (longest === CLIPPED) leftOut.add(next);
    longest = CLIPPED;
  }
}

/** Commands on several keys go to several nodes: what the nodes did is more than what clients asked for. */
function formatLoad(row: Row, load: LoadView): string {
  const sum = load.nodes.reduce((total, node) => total + node.commandsPerSecond, 0);
  return sum === 0 ? '-' : formatPercent((row.commandsPerSecond ?? 0) / sum);
}

/** Whole numbers, but for small rates, of which a decimal is worth something. */
function formatRate(rate: number): string {
  return formatCount(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate));
}
