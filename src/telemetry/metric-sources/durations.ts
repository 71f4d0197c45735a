import { BUCKET_COUNT, bucketUpperBound, type HistogramData } from '../../proxy/measure/histogram.js';
import type { HistogramSample, MetricSource } from '../metrics.js';

/** Bounds of the exposed histograms in seconds; the fine buckets are summed up to them. */
const BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** How many of the fine buckets are below each of these bounds. */
const FINE_ENDS = BOUNDS.map((bound) => {
  let end = 0;
  while (end < BUCKET_COUNT && bucketUpperBound(end) <= bound) end++;
  return end;
});

/** A histogram of how long something took, with a series for each row. */
export function durations<Row extends { readonly time: HistogramData }>(
  name: string,
  help: string,
  rows: () => readonly Row[],
  labelsOf: (row: Row) => Readonly<Record<string, string>>,
): MetricSource {
  return {
    name,
    help,
    type: 'histogram',
    // One by one as they are asked for, since a scrape is made in pieces.
    *read() {
      for (const row of rows()) yield exposed(row.time, labelsOf(row));
    },
  };
}

function exposed(histogram: HistogramData, labels: Readonly<Record<string, string>>): HistogramSample {
  const buckets: { bound: number; count: number }[] = [];
  let fine = 0;
  let count = 0;
  for (const [index, bound] of BOUNDS.entries()) {
    const end = FINE_ENDS[index] ?? 0;
    while (fine < end) count += histogram.counts[fine++] ?? 0;
    buckets.push({ bound, count });
  }
  return { labels, buckets, sum: histogram.sum, count: histogram.count };
}
