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

/** What a histogram holds, as plain data. */
export interface HistogramData {
  /** By bucket. */
  readonly counts: Float64Array;
  /** Seconds. */
  sum: number;
  count: number;
}

/** @returns data of a histogram in which nothing was recorded */
export function emptyHistogram(): HistogramData {
  return { counts: new Float64Array(BUCKET_COUNT), sum: 0, count: 0 };
}

/**
 * A log-linear histogram of durations (as in HdrHistogram): no allocation, quantiles within 12.5 %. Commands that came
 * in one chunk and are answered by one chunk took equally long as far as `Clock` knows, so equal durations come in
 * runs: a record is mostly one comparison and one addition, and a run is put into its bucket when it ends.
 */
export class Histogram {
  readonly #data = emptyHistogram();
  /** The duration of the run at hand, in milliseconds. */
  #duration = 0;
  /** How often it was recorded since it was last added to the data. */
  #run = 0;

  /** @param milliseconds a duration, 0 or more */
  record(milliseconds: number): void {
    if (milliseconds !== this.#duration) this.#endRun(milliseconds);
    this.#run++;
  }

  /** @param milliseconds of each of `count` durations */
  recordMany(milliseconds: number, count: number): void {
    if (milliseconds !== this.#duration) this.#endRun(milliseconds);
    this.#run += count;
  }

  /** All that was recorded; the object is the same each time and is brought up to date by a call alone. */
  read(): HistogramData {
    this.#endRun(0);
    return this.#data;
  }

  /** @param next the duration of the next run, in milliseconds */
  #endRun(next: number): void {
    const data = this.#data;
    const run = this.#run;
    if (run > 0) {
      (data.counts[bucketOf(this.#duration)] as number) += run;
      data.count += run;
      data.sum += (this.#duration * run) / 1000;
    }
    this.#duration = next;
    this.#run = 0;
  }
}

function bucketOf(milliseconds: number): number {
  const micros = (milliseconds * 1000) | 0;
  // Durations of more than 2,147 s overflow the 32 bits.
  if (micros < 0) return milliseconds > 0 ? BUCKET_COUNT - 1 : 0;
  if (micros < SUB) return micros;
  const power = 31 - Math.clz32(micros);
  if (power >= MAX_POWER) return BUCKET_COUNT - 1;
  return ((power - SUB_BITS + 1) << SUB_BITS) + ((micros >> (power - SUB_BITS)) & (SUB - 1));
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
