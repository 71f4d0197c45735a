import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/telemetry/metrics.js';

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
      'd_seconds_bucket{command="get",le="0.001"} 2',
      'd_seconds_bucket{command="get",le="0.5"} 5',
      'd_seconds_bucket{command="get",le="+Inf"} 7',
      'd_seconds_sum{command="get"} 1.25',
      'd_seconds_count{command="get"} 7',
    ]);
  });
});
