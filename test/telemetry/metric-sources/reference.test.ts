import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metricReference } from '../../../src/telemetry/metric-sources/reference.js';

it('the documentation has the table of metrics (npm run docs)', () => {
  const page = readFileSync(new URL('../../../src/docs/metrics.md', import.meta.url), 'utf8');
  expect(/<!-- metrics:start -->\n([\s\S]*?)\n<!-- metrics:end -->/.exec(page)?.[1]).toBe(metricReference());
});
