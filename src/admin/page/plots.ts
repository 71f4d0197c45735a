/** Throughput, latency, errors and hit ratio over the last minutes. */
import type { LoadView, ProxyView } from '../api.js';
import { nodeColor, resolveColor } from './colors.js';
import { byId, setText } from './dom.js';
import { formatCount, formatMarks, formatRate, formatSeconds, formatTick, formatTime } from './format.js';
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

/** Something that happened, which lines may have to do with. */
export interface PlotMark {
  /** Seconds since 1970. */
  readonly at: number;
  readonly kind: 'change' | 'failure';
}

/** With what the other proxies told at that time. */
export type Sample = LoadView & { readonly proxies: Readonly<Record<string, number>> };

/** What a sample is of each proxy's rate. */
export function ratesOf(proxies: readonly ProxyView[]): Record<string, number> {
  return Object.fromEntries(proxies.map(({ id, load }) => [id, load?.commandsPerSecond ?? 0]));
}

/** A line: what it is called, its colour, and its value in a sample. */
interface Line {
  readonly label: string;
  readonly color: string;
  readonly width: number;
  readonly dash?: number[];
  value(sample: Sample): number | null;
}

interface PlotOptions {
  readonly id: string;
  /** The axis goes at least so far: without load its marks would be nothing but zeros. */
  readonly leastTop: number;
  /** Not higher than that, and never logarithmic; missing: it goes as high as its lines. */
  readonly top?: number;
  format(value: number): string;
}

/** One plot in the page; it is made anew where its lines or the colour scheme change. */
class Plot {
  readonly #place: HTMLElement;
  readonly #settings: PlotOptions;
  readonly #legend: PlotLegend;
  #plot: uPlot | null = null;
  #lines: readonly Line[] = [];
  #marks: readonly PlotMark[] = [];
  #key = '';
  isLogarithmic = false;

  constructor(settings: PlotOptions) {
    this.#settings = settings;
    this.#place = byId(settings.id, HTMLElement);
    this.#legend = new PlotLegend(`${settings.id}-legend`, () => this.#toggle());
    new ResizeObserver(() => this.#resize()).observe(this.#place);
  }

  forget(): void {
    this.#key = '';
  }

  show(samples: readonly Sample[], lines: readonly Line[], marks: readonly PlotMark[]): void {
    this.#marks = marks;
    const key = JSON.stringify([rootScale(), this.#isLog, ...lines.map(({ label, color }) => [label, color])]);
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

  get #isLog(): boolean {
    return this.isLogarithmic && this.#settings.top === undefined;
  }

  /** A line down at each mark: dashed where a change begins or ends, whole where a node failed. */
  #drawMarks({ ctx, bbox, valToPos, scales }: uPlot): void {
    const { min = 0, max = 0 } = scales.x ?? {};
    const colors = { change: resolveColor('var(--muted)'), failure: resolveColor('var(--bad)') };
    ctx.save();
    ctx.lineWidth = Math.max(1, devicePixelRatio);
    for (const { at, kind } of this.#marks) {
      if (at < (min ?? 0) || at > (max ?? 0)) continue;
      const x = Math.round(valToPos(at, 'x', true));
      ctx.strokeStyle = colors[kind];
      ctx.setLineDash(kind === 'change' ? [3 * devicePixelRatio, 3 * devicePixelRatio] : []);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
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
      plot.setScale('y', { min: 0, max: this.#settings.top ?? highest * 1.1 });
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
      scales: { x: { time: true, auto: false }, y: { auto: false, ...(this.#isLog ? { distr: 4, asinh: 1 } : {}) } },
      legend: { show: false },
      hooks: { setCursor: [() => this.#showValues()], draw: [(plot) => this.#drawMarks(plot)] },
      axes: [
        { ...axis, ...times, values: (_plot, splits, _axis, _space, step) => splits.map((at) => formatTick(at, step)) },
        {
          ...axis,
          size: Math.round(56 * scale),
          space: Math.round(32 * scale),
          values: (_plot, splits) => formatMarks(splits),
        },
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
  readonly #latency = new Plot({ id: 'latency', leastTop: 1, format: decimals });
  readonly #errors = new Plot({ id: 'errors', leastTop: 10, format: formatRate });
  readonly #hits = new Plot({ id: 'hits', leastTop: 100, top: 100, format: decimals });
  readonly #throughputText = byId('throughput-text', HTMLElement);
  readonly #latencyText = byId('latency-text', HTMLElement);
  readonly #errorsText = byId('errors-text', HTMLElement);
  readonly #hitsText = byId('hits-text', HTMLElement);
  readonly #by = byId('throughput-by', HTMLSelectElement);
  readonly #logarithmic = byId('plots-log', HTMLInputElement);
  readonly #colorOf: (node: string) => string;

  /** @param redraw something is to be shown otherwise */
  constructor(colorOf: (node: string) => string, redraw: () => void) {
    this.#colorOf = colorOf;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const plot of this.#all) plot.forget();
    });
    this.#by.addEventListener('change', redraw);
    this.#logarithmic.addEventListener('change', () => {
      for (const plot of this.#all) plot.isLogarithmic = this.#logarithmic.checked;
      redraw();
    });
  }

  get #all(): readonly Plot[] {
    return [this.#throughput, this.#latency, this.#errors, this.#hits];
  }

  show(samples: readonly Sample[], marks: readonly PlotMark[]): void {
    const last = samples.at(-1);
    if (last === undefined) return;
    const parts = this.#partsOf(last);
    const crowded = parts.length > MOST_NODES;
    const all: Line = { label: 'all', color: 'var(--text)', width: 2, value: (sample) => sample.commandsPerSecond };
    this.#throughput.show(samples, [all, ...(crowded ? [] : parts)], marks);
    const milliseconds = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
    this.#latency.show(
      samples,
      [
        { label: 'p50', color: 'var(--text)', width: 2, value: ({ p50 }) => milliseconds(p50) },
        { label: 'p99', color: 'var(--muted)', width: 2, dash: [6, 4], value: ({ p99 }) => milliseconds(p99) },
      ],
      marks,
    );
    const failed: Line = { label: 'errors', color: 'var(--bad)', width: 2, value: (sample) => sample.errorsPerSecond };
    this.#errors.show(samples, [failed], marks);
    const found: Line = { label: 'hit ratio', color: 'var(--text)', width: 2, value: hitPercent };
    this.#hits.show(samples, [found], marks);
    this.#describe(samples, last, crowded);
  }

  /** The lines beside that of all. */
  #partsOf(last: Sample): Line[] {
    const line = (label: string, color: string, value: Line['value']): Line => ({ label, color, width: 1.5, value });
    switch (this.#by.value) {
      case 'groups':
        return last.keyGroups.map(({ group }, at) =>
          line(group, nodeColor(at), ({ keyGroups }) => {
            return keyGroups.find((row) => row.group === group)?.commandsPerSecond ?? null;
          }),
        );
      case 'proxies':
        return Object.keys(last.proxies).map((id, at) => line(id, nodeColor(at), ({ proxies }) => proxies[id] ?? null));
      default:
        return last.nodes.map(({ node }) =>
          line(node, this.#colorOf(node), ({ nodes }) => {
            return nodes.find((row) => row.node === node)?.commandsPerSecond ?? null;
          }),
        );
    }
  }

  #describe(samples: readonly Sample[], last: Sample, crowded: boolean): void {
    const rates = samples.map((sample) => sample.commandsPerSecond);
    const slowest = samples.reduce<number | null>(
      (most, { p99 }) => (p99 === null ? most : Math.max(p99, most ?? 0)),
      null,
    );
    const single = crowded ? ' The rate of each is in the table.' : '';
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
    const failed = samples.reduce((sum, { errorsPerSecond, seconds }) => sum + errorsPerSecond * seconds, 0);
    setText(
      this.#errorsText,
      failed === 0
        ? 'No errors in these minutes.'
        : `Now ${formatRate(last.errorsPerSecond)}/s; ${formatCount(Math.round(failed))} errors in these minutes.`,
    );
    const now = hitPercent(last);
    setText(this.#hitsText, now === null ? 'No reads in this second.' : `Now ${decimals(now)} % of the reads.`);
  }
}

function hitPercent({ hitsPerSecond, missesPerSecond }: LoadView): number | null {
  const reads = hitsPerSecond + missesPerSecond;
  return reads === 0 ? null : (hitsPerSecond / reads) * 100;
}

function decimals(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function dataOf(samples: readonly Sample[], lines: readonly Line[]): uPlot.AlignedData {
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
