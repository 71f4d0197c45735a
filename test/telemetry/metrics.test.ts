import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/telemetry/metrics.js';
import { cpuTime } from '../support/cpu-time.js';

describe('the exposition', () => {
  it('reads counters and gauges when it is asked', async () => {
    let value = 1;
    const metrics = new Metrics([
      { name: 'x_total', help: 'Some.', type: 'counter', read: () => [{ labels: { node: 'a"\\\n' }, value }] },
      { name: 'y', help: 'None yet.', type: 'gauge', read: () => [] },
    ]);
    expect(await metrics.text()).toContain(
      '# HELP x_total Some.\n# TYPE x_total counter\nx_total{node="a\\"\\\\\\n"} 1\n',
    );
    value = 2;
    const text = await metrics.text();
    expect(text).toContain('} 2\n');
    expect(text).toContain('# TYPE y gauge\n');
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('has the series of a histogram in the order that Prometheus asks for', async () => {
    const buckets = [
      { bound: 0.001, count: 2 },
      { bound: 0.5, count: 5 },
    ];
    const metrics = new Metrics([
      {
        name: 'd_seconds',
        help: 'Time.',
        type: 'histogram',
        read: () => [{ labels: { command: 'get' }, buckets, sum: 1.25, count: 7 }],
      },
    ]);
    expect((await metrics.text()).trim().split('\n')).toEqual([
      '# HELP d_seconds Time.',
      '# TYPE d_seconds histogram',
      'd_seconds_bucket{le="0.001",command="get"} 2',
      'd_seconds_bucket{le="0.5",command="get"} 5',
      'd_seconds_bucket{le="+Inf",command="get"} 7',
      'd_seconds_sum{command="get"} 1.25',
      'd_seconds_count{command="get"} 7',
    ]);
  });

  it('lets the event loop go on between the pieces of a scrape of many series', async () => {
    const buckets = Array.from({ length: 17 }, (_, i) => ({ bound: i + 1, count: i }));
    const commands = Array.from({ length: 2000 }, (_, i) => `command-${i}`);
    let longest = 0;
    let turns = 0;
    let last = cpuTime();
    let isDone = false;
    const look = (): void => {
      const now = cpuTime();
      longest = Math.max(longest, now - last);
      last = now;
      turns++;
      if (!isDone) setImmediate(look);
    };
    const metrics = new Metrics([
      {
        name: 'd_seconds',
        help: 'Time.',
        type: 'histogram',
        *read() {
          for (const command of commands) yield { labels: { command }, buckets, sum: 1, count: 20 };
        },
      },
    ]);
    setImmediate(look);
    const started = cpuTime();
    const text = await metrics.text();
    isDone = true;
    const took = cpuTime() - started;
    const lines = text.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('#'))).toHaveLength(2);
    expect(lines).toHaveLength(2 + 2000 * 20);
    expect(new Set(lines).size).toBe(lines.length);
    // In one go there were one or two turns, and the longest took all of the time.
    expect(turns).toBeGreaterThan(50);
    expect(longest).toBeLessThan(took / 2);
  });
});
