import { describe, expect, it } from 'vitest';
import { describeStats } from '../../cli/stats-command.js';
import type { StatsView } from '../../src/admin/api.js';

const STATS: StatsView = {
  ...{
    proxy: 'p1',
    version: '1.0.0',
    uptimeSeconds: 5,
    generation: 1,
    clients: 0,
    clientsTotal: 0,
    clientsRejected: 0,
  },
  ...{ commands: 0, errors: 0, hits: 0, misses: 0, bytesIn: 0, bytesOut: 0, residentMemory: 0, eventLoopLagSeconds: 0 },
  ...{ workers: [], commandStats: [], nodeStats: [], keyGroups: [] },
};

describe('ringproxy stats', () => {
  it('has a table of the groups of keys where there are some', () => {
    const keyGroups = [
      { group: 'pages', commands: 1200, errors: 1, hits: 300, misses: 100, p50: 0.001, p99: 0.01 },
      { group: 'other', commands: 0, errors: 0, hits: 0, misses: 0, p50: null, p99: null },
    ];
    const lines = describeStats({ ...STATS, keyGroups })
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    expect(lines.slice(-3)).toEqual([
      ['KEY GROUP', 'COMMANDS', 'ERRORS', 'HITS', 'MISSES', 'HIT RATIO', 'P50', 'P99'],
      ['pages', '1,200', '1', '300', '100', '75.0 %', '1.00 ms', '10 ms'],
      ['other', '0', '0', '0', '0', '-', '-', '-'],
    ]);
    expect(describeStats({ ...STATS, uptimeSeconds: 90_061 })).toContain('up 1 d 1 h,');
    expect(describeStats(STATS)).not.toContain('HIT RATIO');
  });
});
