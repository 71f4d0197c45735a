import { describe, expect, it } from 'vitest';
import { BUCKET_COUNT, bucketUpperBound, Histogram, quantileOf } from '../../../src/proxy/measure/histogram.js';

function recorded(durations: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const duration of durations) histogram.record(duration);
  return histogram;
}

describe('a histogram', () => {
  it('is empty until something is recorded', () => {
    const data = new Histogram().read();
    expect([data.count, data.sum, data.counts.every((count) => count === 0), quantileOf(data, 0.5)]).toEqual([
      0,
      0,
      true,
      null,
    ]);
  });

  it('counts runs of equal durations as it counts each alone', () => {
    const durations = [3, 3, 3, 0.02, 3, 3, 0, 0, 17.5, 17.5, 17.5, 17.5];
    const data = recorded(durations).read();
    // Each by a histogram of its own has no runs.
    const alone = durations.map((duration) => recorded([duration]).read());
    const counts = Array.from({ length: BUCKET_COUNT }, (_, i) =>
      alone.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0),
    );
    expect([...data.counts]).toEqual(counts);
    expect(data.count).toBe(12);
    expect(data.sum).toBeCloseTo(durations.reduce((sum, duration) => sum + duration, 0) / 1000, 12);
  });

  it('goes on with a run that was read half-way', () => {
    const histogram = recorded([5, 5]);
    expect(histogram.read().count).toBe(2);
    expect(histogram.read().count).toBe(2);
    histogram.record(5);
    histogram.record(0);
    expect(histogram.read().count).toBe(4);
    expect(histogram.read().sum).toBeCloseTo(0.015, 12);
  });

  it('puts each duration into a bucket that ends at most 12.5 % above it', () => {
    for (let milliseconds = 0.01; milliseconds < 60_000; milliseconds *= 1.07) {
      const bound = bucketUpperBound(recorded([milliseconds]).read().counts.indexOf(1));
      // Below 8 µs a bucket is 1 µs wide, and durations are cut to whole microseconds.
      expect(bound * 1000).toBeGreaterThan(milliseconds - 1e-9);
      expect(bound * 1000).toBeLessThanOrEqual(milliseconds * 1.125 + 0.001);
    }
  });

  it('puts what takes longer than it can tell into the last bucket', () => {
    const { counts } = recorded([70_000, 3_000_000, 1e12, -1]).read();
    expect([counts[BUCKET_COUNT - 1], counts[0]]).toEqual([3, 1]);
  });

  it('has quantiles', () => {
    const data = recorded(Array.from({ length: 100 }, (_, i) => i + 1)).read();
    expect(quantileOf(data, 0.5)).toBeGreaterThanOrEqual(0.05);
    expect(quantileOf(data, 0.5)).toBeLessThan(0.057);
    expect(quantileOf(data, 0.99)).toBeGreaterThanOrEqual(0.099);
    expect(quantileOf(data, 0)).toBeLessThan(0.0012);
  });
});
