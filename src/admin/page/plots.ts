/** Throughput and latency over the last minutes. */
import type { LoadView } from '../api.js';
import { resolveColor } from './colors.js';
import { byId, setText } from './dom.js';
import { formatMarks, formatRate, formatSeconds, formatTick, formatTime } from './format.js';
import { PlotLegend } from './plot-legend.js';
import uPlot from './vendor/uplot.js';

/** What is shown at least, and at most. */
const LEAST_SECONDS = 60;
const MOST_SECONDS = 300;
/** Samples are a second apart. Where more time is between two, the proxy was away, and no line may hide that. */
const GAP_SECONDS = 5;
/** More lines than that nobody can tell apart; the table has every node's rate. */
const MOST_NODES = 12;
/** From so many seconds on a mark of the time is without seconds, and takes less room. */
const LONG_SECONDS = 180;
/** Seconds between the marks of the time. */
const TIME_STEPS = [5, 10, 15, 30, 60, 120];

/** A line: what it is called, its colour, and its value in a sample. */
interface Line {
  readonly label: string;
  readonly color: string;
  readonly width: number;
  readonly dash?: number[];
  value(sample: LoadView): number | null;
}

interface PlotOptions {
  readonly id: string;
  /** The axis goes at least so far: without load its marks would be nothing but zeros. */
  readonly leastTop: number;
  format(value: number): string;
}

/** One plot in the page; it is made anew where its lines or the colour scheme change. */
class Plot {
  readonly #place: HTMLElement;
  readonly #settings: PlotOptions;
  readonly #legend: PlotLegend;
  #plot: uPlot | null = null;
  #lines: readonly Line[] = [];
  #key = '';

  constructor(settings: PlotOptions) {
    this.#settings = settings;
    this.#place = byId(settings.id, HTMLElement);
    this.#legend = new PlotLegend(`${settings.id}-legend`, () => this.#toggle());
    new ResizeObserver(() => this.#resize()).observe(this.#place);
  }

  forget(): void {
    this.#key = '';
  }

  show(samples: readonly LoadView[], lines: readonly Line[]): void {
    const key = JSON.stringify([rootScale(), ...lines.map(({ label, color }) => [label, color])]);
    const data = dataOf(samples, lines);
    this.#lines = lines;
    if (this.#plot === null || key !== this.#key) {
      this.#plot?.destroy();
      this.#legend.setLines(lines);
      this.#plot = new uPlot(this.#options(), data, this.#place);
      this.#key = key;
    } else {
      this.#plot.setData(data, false);
    }
    this.#setScales();
    this.#showValues();
  }

  #setScales(): void {
    const plot = this.#plot;
    if (plot === null) return;
    const [times] = plot.data;
    const last = times.at(-1) ?? Date.now() / 1000;
    const shown = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, last - (times[0] ?? last)));
    let highest = this.#settings.leastTop;
    for (const [index, { label }] of this.#lines.entries()) {
      if (!this.#legend.isShown(label)) continue;
      for (const value of plot.data[index + 1] ?? []) highest = Math.max(highest, value ?? 0);
    }
    plot.batch(() => {
      plot.setScale('x', { min: last - shown, max: last });
      plot.setScale('y', { min: 0, max: highest * 1.1 });
    });
  }

  #toggle(): void {
    const plot = this.#plot;
    if (plot === null) return;
    for (const [index, { label }] of this.#lines.entries()) {
      plot.setSeries(index + 1, { show: this.#legend.isShown(label) });
    }
    this.#setScales();
  }

  /** Where the cursor is, otherwise now. */
  #showValues(): void {
    const plot = this.#plot;
    if (plot === null) return;
    const { left } = plot.cursor;
    const pointed = left !== undefined && left >= 0 ? plot.posToIdx(left) : null;
    const index = pointed ?? plot.data[0].length - 1;
    const time = plot.data[0][index];
    const at = pointed === null || time === undefined ? 'now' : formatTime(new Date(time * 1000));
    const values = this.#lines.map((_line, line) => plot.data[line + 1]?.[index]);
    this.#legend.show(
      at,
      values.map((value) => (value === null || value === undefined ? '–' : this.#settings.format(value))),
    );
  }

  #resize(): void {
    this.#plot?.setSize({ width: this.#place.clientWidth, height: this.#place.clientHeight });
  }

  #options(): uPlot.Options {
    const stroke = resolveColor('var(--muted)');
    const grid = { stroke: resolveColor('var(--line)'), width: 1 };
    const scale = rootScale();
    const axis = { stroke, grid, ticks: grid, font: `${Math.round(12 * scale)}px system-ui, sans-serif` };
    const times = {
      incrs: TIME_STEPS,
      space: (_plot: uPlot, _axis: number, min: number, max: number) =>
        Math.round((max - min >= LONG_SECONDS ? 44 : 64) * scale),
      size: Math.round(34 * scale),
    };
    return {
      width: this.#place.clientWidth,
      height: this.#place.clientHeight,
      // The mark of the last second stands half beside the plot.
      padding: [null, Math.round(28 * scale), null, null],
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      legend: { show: false },
      hooks: { setCursor: [() => this.#showValues()] },
      axes: [
        { ...axis, ...times, values: (_plot, splits, _axis, _space, step) => splits.map((at) => formatTick(at, step)) },
        { ...axis, size: Math.round(56 * scale), values: (_plot, splits) => formatMarks(splits) },
      ],
      series: [
        {},
        ...this.#lines.map((line) => ({
          label: line.label,
          show: this.#legend.isShown(line.label),
          stroke: resolveColor(line.color),
          width: line.width * scale,
          ...(line.dash === undefined ? {} : { dash: line.dash }),
          points: {
            show: true,
            size: 5 * scale,
            filter: (plot: uPlot, series: number) => lonely(plot.data[series] ?? []),
          },
        })),
      ],
    };
  }
}

export class Plots {
  readonly #throughput = new Plot({ id: 'throughput', leastTop: 10, format: formatRate });
  readonly #latency = new Plot({
    id: 'latency',
    leastTop: 1,
    format: (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 }),
  });
  readonly #throughputText = byId('throughput-text', HTMLElement);
  readonly #latencyText = byId('latency-text', HTMLElement);
  readonly #colorOf: (node: string) => string;

  constructor(colorOf: (node: string) => string) {
    this.#colorOf = colorOf;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#throughput.forget();
      this.#latency.forget();
    });
  }

  show(samples: readonly LoadView[]): void {
    const last = samples.at(-1);
    if (last === undefined) return;
    const crowded = last.nodes.length > MOST_NODES;
    this.#throughput.show(samples, [
      { label: 'all', color: 'var(--text)', width: 2, value: (sample) => sample.commandsPerSecond },
      ...(crowded ? [] : last.nodes).map(({ node }) => ({
        label: node,
        color: this.#colorOf(node),
        width: 1.5,
        value: (sample: LoadView) => sample.nodes.find((row) => row.node === node)?.commandsPerSecond ?? null,
      })),
    ]);
    this.#latency.show(samples, [
      { label: 'p50', color: 'var(--accent)', width: 2, value: ({ p50 }) => (p50 === null ? null : p50 * 1000) },
      {
        label: 'p99',
        color: 'var(--warn)',
        width: 2,
        dash: [6, 4],
        value: ({ p99 }) => (p99 === null ? null : p99 * 1000),
      },
    ]);
    const rates = samples.map((sample) => sample.commandsPerSecond);
    const slowest = samples.reduce<number | null>(
      (most, { p99 }) => (p99 === null ? most : Math.max(p99, most ?? 0)),
      null,
    );
    const single = crowded ? ' Each node’s rate is in the table.' : '';
    setText(
      this.#throughputText,
      `Now ${formatRate(last.commandsPerSecond)}/s; highest of these minutes ${formatRate(Math.max(...rates))}/s.${single}`,
    );
    setText(
      this.#latencyText,
      slowest === null
        ? 'No commands in these minutes.'
        : `Now p50 ${formatSeconds(last.p50)}, p99 ${formatSeconds(last.p99)}; highest p99 of these minutes ${formatSeconds(slowest)}.`,
    );
  }
}

function dataOf(samples: readonly LoadView[], lines: readonly Line[]): uPlot.AlignedData {
  const times: number[] = [];
  const columns: (number | null)[][] = lines.map(() => []);
  for (const sample of samples) {
    const at = new Date(sample.at).getTime() / 1000;
    const before = times.at(-1);
    if (before !== undefined && at - before > GAP_SECONDS) {
      times.push(before + 1);
      for (const column of columns) column.push(null);
    }
    times.push(at);
    for (const [index, line] of lines.entries()) columns[index]?.push(line.value(sample));
  }
  return [times, ...columns];
}

/** Values without neighbours: no line shows them. */
function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const none = (index: number): boolean => values[index] === null || values[index] === undefined;
  return Array.from(values, (_value, index) => index).filter(
    (index) => !none(index) && none(index - 1) && none(index + 1),
  );
}

/** How much larger than usual the page's text is: plots grow with it. */
function rootScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}
