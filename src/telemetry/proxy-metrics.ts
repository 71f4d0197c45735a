import type { OwnRingView } from '../admin/api.js';
import { type HotReport, NOTHING_HOT } from '../proxy/measure/hot-keys/hot-report.js';
import { emptyPlaneStats, type PlaneStats } from '../proxy/measure/plane-stats.js';
import { type MetricReads, metricSources } from './metric-sources/index.js';
import { Metrics } from './metrics.js';

export interface ProxyMetricsOptions extends Omit<MetricReads, 'stats' | 'ring' | 'hotKeys'> {
  /** What all processes of the data plane have counted by now. */
  readonly plane: () => Promise<PlaneStats>;
  readonly ring: () => OwnRingView;
  readonly hotKeys: () => Promise<HotReport>;
}

/** What is served at `/metrics`: one view of all processes of the data plane. */
export class ProxyMetrics {
  readonly #options: ProxyMetricsOptions;
  readonly #metrics: Metrics;
  /** As of the scrape that is being made. */
  #stats: PlaneStats = emptyPlaneStats();
  #ring: OwnRingView | null = null;
  #hotKeys = NOTHING_HOT;
  /** Settles when the last scrape that was asked for is made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ProxyMetricsOptions) {
    this.#options = options;
    this.#metrics = new Metrics(
      metricSources({
        identity: options.identity,
        stats: () => this.#stats,
        ring: () => this.#ring ?? options.ring(),
        hotKeys: () => this.#hotKeys,
        movedKeys: options.movedKeys,
        bytesMoved: options.bytesMoved,
        strays: options.strays,
        ejections: options.ejections,
        fleet: options.fleet,
        fences: options.fences,
        refused: options.refused,
        etcd: options.etcd,
        softState: options.softState,
        values: options.values,
        tls: options.tls,
      }),
    );
  }

  /** @returns what a scrape gets; scrapes at the same time are made one behind the other */
  read(): Promise<{ readonly contentType: string; readonly text: string }> {
    const scrape = this.#last.then(async () => {
      [this.#stats, this.#hotKeys] = await Promise.all([this.#options.plane(), this.#options.hotKeys()]);
      this.#ring = this.#options.ring();
      return { contentType: this.#metrics.contentType, text: await this.#metrics.text() };
    });
    this.#last = scrape.catch(() => {});
    return scrape;
  }
}
