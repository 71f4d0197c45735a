/**
 * The Prometheus metrics: read from the data plane's flat counters when somebody scrapes. A scrape is made in pieces,
 * between which the event loop serves clients: a proxy that has seen many commands has thousands of series, and in one
 * go they would keep every client waiting for milliseconds.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';

/** For how long a scrape keeps the event loop at a time, in milliseconds, by one piece more or less. */
const TURN_MS = 0.1;
/** Series that are rendered in one go; a histogram is one of them for each of its buckets. */
const PIECE_SERIES = 64;

/** One series of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One series of a histogram: seconds, with how many were recorded up to each bound. */
export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: readonly { readonly bound: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

interface Plain {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly read: () => Iterable<Sample>;
}

interface Distribution {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  readonly read: () => Iterable<HistogramSample>;
}

export type MetricSource = Plain | Distribution;

/** As prom-client renders it. */
interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  /** Common to several values: rendered once and remembered by the object. */
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly metricName?: string;
}

const NO_LABELS: Readonly<Record<string, string>> = {};

/** A metric that has a piece of its values at a time. */
class PiecewiseMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly source: MetricSource;
  piece: readonly Value[] = [];

  constructor(source: MetricSource) {
    this.name = source.name;
    this.help = source.help;
    this.type = source.type;
    this.source = source;
  }

  /** prom-client calls it when it renders the metric. */
  get(): { name: string; help: string; type: string; aggregator: string; values: readonly Value[] } {
    const { name, help, type, aggregator, piece } = this;
    return { name, help, type, aggregator, values: piece };
  }

  reset(): void {}
}

/** The registry of these metrics. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #metrics: readonly PiecewiseMetric[];

  constructor(sources: readonly MetricSource[]) {
    this.#metrics = sources.map((source) => new PiecewiseMetric(source));
    for (const metric of this.#metrics) register(this.#registry, metric);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * To be called again only when the text before it is complete.
   * @returns the text that Prometheus reads
   */
  async text(): Promise<string> {
    const texts: string[] = [];
    let turnEnd = performance.now() + TURN_MS;
    for (const metric of this.#metrics) {
      let text = '';
      for (const piece of pieces(metric.source)) {
        metric.piece = piece;
        const rendered = await this.#registry.getSingleMetricAsString(metric.name);
        text += text === '' ? rendered : withoutHeader(rendered);
        if (performance.now() < turnEnd) continue;
        await nextTurn();
        turnEnd = performance.now() + TURN_MS;
      }
      metric.piece = [];
      texts.push(text);
    }
    return `${texts.join('\n\n')}\n`;
  }
}

/** The values of a metric in pieces of about PIECE_SERIES; at least one, so that a metric without values has a header. */
function* pieces(source: MetricSource): Generator<readonly Value[]> {
  let piece: Value[] = [];
  let isFirst = true;
  for (const values of source.type === 'histogram' ? distributions(source) : plainValues(source)) {
    piece.push(...values);
    if (piece.length < PIECE_SERIES) continue;
    yield piece;
    isFirst = false;
    piece = [];
  }
  if (isFirst || piece.length > 0) yield piece;
}

function* plainValues(source: Plain): Generator<readonly Value[]> {
  for (const { labels, value } of source.read()) yield [{ labels, sharedLabels: NO_LABELS, value }];
}

function* distributions({ name, read }: Distribution): Generator<readonly Value[]> {
  for (const { labels: sharedLabels, buckets, sum, count } of read()) {
    const values: Value[] = buckets.map((bucket) => ({
      labels: { le: bucket.bound },
      sharedLabels,
      value: bucket.count,
      metricName: `${name}_bucket`,
    }));
    values.push(
      { labels: { le: '+Inf' }, sharedLabels, value: count, metricName: `${name}_bucket` },
      { labels: NO_LABELS, sharedLabels, value: sum, metricName: `${name}_sum` },
      { labels: NO_LABELS, sharedLabels, value: count, metricName: `${name}_count` },
    );
    yield values;
  }
}

/** Only the first piece of a metric has the lines HELP and TYPE. */
function withoutHeader(rendered: string): string {
  const endOfHelp = rendered.indexOf('\n');
  const endOfType = rendered.indexOf('\n', endOfHelp + 1);
  return rendered.slice(endOfType);
}

/** prom-client takes any object of this shape, but its types name its own classes only. */
function register(registry: Registry, metric: PiecewiseMetric): void {
  const add: unknown = Reflect.get(registry, 'registerMetric');
  if (typeof add === 'function') add.call(registry, metric);
}
