/** Sub-buckets per power of two: a bucket is at most 12.5 % wide. */
const SUB_BITS = 3;
const SUB = 1 << SUB_BITS;
/** Microseconds from 2^26 (67 s) on fall into the last bucket. */
const MAX_POWER = 26;
export const BUCKET_COUNT = (MAX_POWER - SUB_BITS + 1) * SUB + SUB;

/** The upper bound of a bucket in seconds. */
export function bucketUpperBound(index: number): number {
  if (index < SUB) return (index + 1) / 1e6;
  const power = Math.floor(index / SUB) - 1 + SUB_BITS;
  const sub = index % SUB;
  return (2 ** power + (sub + 1) * 2 ** (power - SUB_BITS)) / 1e6;
}

/** What a histogram holds, without its methods. */
export interface HistogramData {
  /** By bucket. */
  readonly counts: Float64Array;
  /** Seconds. */
  sum: number;
  count: number;
}

/**
 * A log-linear histogram of durations (as in HdrHistogram): a handful of integer operations a record, no
 * allocation, quantiles within 12.5 %.
 */
export class Histogram implements HistogramData {
  readonly counts = new Float64Array(BUCKET_COUNT);
  /** Seconds. */
  sum = 0;
  count = 0;

  /** @param milliseconds a duration, 0 or more */
  record(milliseconds: number): void {
    const micros = (milliseconds * 1000) | 0;
    let index = micros;
    if (micros >= SUB) {
      const power = 31 - Math.clz32(micros);
      index =
        power >= MAX_POWER
          ? BUCKET_COUNT - 1
          : ((power - SUB_BITS + 1) << SUB_BITS) + ((micros >> (power - SUB_BITS)) & (SUB - 1));
    } else if (micros < 0) {
      // Durations of more than 2,147 s overflow the 32 bits.
      index = milliseconds > 0 ? BUCKET_COUNT - 1 : 0;
    }
    (this.counts[index] as number)++;
    this.count++;
    this.sum += milliseconds / 1000;
  }
}

/**
 * @param quantile 0 to 1
 * @returns seconds, or null when nothing was recorded
 */
export function quantileOf(histogram: HistogramData, quantile: number): number | null {
  if (histogram.count === 0) return null;
  const rank = Math.max(1, Math.ceil(quantile * histogram.count));
  let seen = 0;
  for (let i = 0; i < BUCKET_COUNT; i++) {
    seen += histogram.counts[i] as number;
    if (seen >= rank) return bucketUpperBound(i);
  }
  return bucketUpperBound(BUCKET_COUNT - 1);
}
