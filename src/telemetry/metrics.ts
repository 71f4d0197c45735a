/** The Prometheus metrics: read from the data plane's flat counters when somebody scrapes. */
import { Registry } from 'prom-client';

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
  readonly read: () => readonly Sample[];
}

interface Distribution {
  readonly name: string;
  readonly help: string;
  readonly type: 'histogram';
  readonly read: () => readonly HistogramSample[];
}

export type MetricSource = Plain | Distribution;

interface Value {
  labels: Record<string, string | number>;
  value: number;
  metricName?: string;
}

/** A metric whose values are read when the registry is asked for them. */
class ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly #source: MetricSource;

  constructor(source: MetricSource) {
    this.name = source.name;
    this.help = source.help;
    this.type = source.type;
    this.#source = source;
  }

  /** prom-client calls it at each scrape. */
  get(): { name: string; help: string; type: string; aggregator: string; values: Value[] } {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#values() };
  }

  reset(): void {}

  #values(): Value[] {
    const source = this.#source;
    if (source.type !== 'histogram') {
      return source.read().map(({ labels, value }) => ({ labels: { ...labels }, value }));
    }
    return source.read().flatMap(({ labels, buckets, sum, count }) => [
      ...buckets.map((bucket) => ({
        labels: { ...labels, le: bucket.bound },
        value: bucket.count,
        metricName: `${source.name}_bucket`,
      })),
      { labels: { ...labels, le: '+Inf' }, value: count, metricName: `${source.name}_bucket` },
      { labels: { ...labels }, value: sum, metricName: `${source.name}_sum` },
      { labels: { ...labels }, value: count, metricName: `${source.name}_count` },
    ]);
  }
}

/** The registry of these metrics. */
export class Metrics {
  readonly #registry = new Registry();

  constructor(sources: readonly MetricSource[]) {
    for (const source of sources) register(this.#registry, new ReadMetric(source));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** @returns the text that Prometheus reads */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** prom-client takes any object of this shape, but its types name its own classes only. */
function register(registry: Registry, metric: ReadMetric): void {
  const add: unknown = Reflect.get(registry, 'registerMetric');
  if (typeof add === 'function') add.call(registry, metric);
}
