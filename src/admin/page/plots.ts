/** Throughput and latency over the last minutes. */
import type { LoadView } from '../api.js';
import { resolveColor } from './colors.js';
import { byId, setText } from './dom.js';
import { formatRate, formatSeconds } from './format.js';
import uPlot from './vendor/uplot.js';

/** What is shown at least, and at most. */
const LEAST_SECONDS = 60;
const MOST_SECONDS = 300;
/** More lines than that nobody can tell apart; the table has every node's rate. */
const MOST_NODES = 12;

/** A line: what it is called, its colour, and its value in a sample. */
interface Line {
  readonly label: string;
  readonly color: string;
  readonly width: number;
  readonly dash?: number[];
  value(sample: LoadView): number | null;
}

/** One plot in the page; it is made anew where its lines or the colour scheme change. */
class Plot {
  readonly #place: HTMLElement;
  readonly #format: (value: number) => string;
  #plot: uPlot | null = null;
  #lines: readonly Line[] = [];
  #key = '';

  constructor(id: string, format: (value: number) => string) {
    this.#place = byId(id, HTMLElement);
    this.#format = format;
    new ResizeObserver(() => this.#resize()).observe(this.#place);
  }

  forget(): void {
    this.#key = '';
  }

  show(samples: readonly LoadView[], lines: readonly Line[]): void {
    const key = JSON.stringify([rootScale(), ...lines.map(({ label, color }) => [label, color])]);
    const times = samples.map((sample) => new Date(sample.at).getTime() / 1000);
    const data: uPlot.AlignedData = [times, ...lines.map((line) => samples.map((sample) => line.value(sample)))];
    this.#lines = lines;
    if (this.#plot === null || key !== this.#key) {
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(), data, this.#place);
      this.#key = key;
      this.#resize();
    } else {
      this.#plot.setData(data, false);
    }
    const last = times.at(-1) ?? Date.now() / 1000;
    const shown = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, last - (times[0] ?? last)));
    this.#plot.batch(() => {
      const highest = Math.max(1e-9, ...data.slice(1).flatMap((line) => [...(line ?? [])].map((value) => value ?? 0)));
      this.#plot?.setScale('x', { min: last - shown, max: last });
      this.#plot?.setScale('y', { min: 0, max: highest * 1.1 });
    });
  }

  /** The legend stands below the plot, and takes as many lines as it needs. */
  #resize(): void {
    const legend = this.#place.querySelector<HTMLElement>('.u-legend')?.offsetHeight ?? 0;
    this.#plot?.setSize({ width: this.#place.clientWidth, height: this.#place.clientHeight - legend });
  }

  #options(): uPlot.Options {
    const text = resolveColor('var(--muted)');
    const grid = { stroke: resolveColor('var(--line)'), width: 1 };
    const font = `${Math.round(12 * rootScale())}px system-ui, sans-serif`;
    const size = Math.round(56 * rootScale());
    const format = this.#format;
    return {
      width: this.#place.clientWidth,
      height: this.#place.clientHeight,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      legend: { show: true, live: true },
      axes: [
        {
          stroke: text,
          grid,
          ticks: grid,
          font,
          size: Math.round(size * 0.6),
          values: '{HH}:{mm}:{ss}',
          space: size * 1.2,
        },
        { stroke: text, grid, ticks: grid, font, size, values: (_plot, splits) => splits.map(format) },
      ],
      series: [
        { label: 'Time', value: '{HH}:{mm}:{ss}' },
        ...this.#lines.map((line) => ({
          label: line.label,
          stroke: resolveColor(line.color),
          width: line.width * rootScale(),
          ...(line.dash === undefined ? {} : { dash: line.dash }),
          points: {
            show: true,
            size: 5 * rootScale(),
            filter: (plot: uPlot, series: number) => lonely(plot.data[series] ?? []),
          },
          value: (_plot: uPlot, value: number | null) => (value === null ? '–' : format(value)),
        })),
      ],
    };
  }
}

export class Plots {
  readonly #throughput = new Plot('throughput', formatRate);
  readonly #latency = new Plot('latency', (value) => value.toLocaleString('en-US', { maximumFractionDigits: 2 }));
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
    this.#throughput.show(samples, [
      { label: 'all', color: 'var(--text)', width: 2, value: (sample) => sample.commandsPerSecond },
      ...(last.nodes.length > MOST_NODES ? [] : last.nodes).map(({ node }) => ({
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
    setText(
      this.#throughputText,
      `Now ${formatRate(last.commandsPerSecond)}/s; highest of these minutes ${formatRate(Math.max(...rates))}/s.`,
    );
    setText(
      this.#latencyText,
      `Now p50 ${formatSeconds(last.p50)}, p99 ${formatSeconds(last.p99)}; highest p99 of these minutes ${formatSeconds(slowest)}.`,
    );
  }
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
