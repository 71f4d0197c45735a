/** `ringproxy nodes`: what people read of the servers of a ring. */
import { expect, it } from 'vitest';
import { describeNodes } from '../../cli/nodes-view.js';
import type { NodeFiguresView, NodeView } from '../../src/admin/api.js';
import { ringView } from './fake-admin.js';

const FIGURES: NodeFiguresView = {
  ...{ maxMemory: 2048, maxMemoryPolicy: 'allkeys-lru', residentMemory: 4096, fragmentation: 1.234 },
  ...{ evictedKeys: 12345, expiredKeys: 6, connectedClients: 7, blockedClients: 1, maxClients: 10_000 },
  ...{ role: 'master', loading: false, uptimeSeconds: 90 },
};

const [NODE] = ringView({}).nodes;
if (NODE === undefined) throw new Error('the ring has a node');
const nodes: NodeView[] = [
  { ...NODE, figures: FIGURES },
  { ...NODE, name: 'b', version: null, usedMemory: null },
];

it('says what each server says, and marks what is not known', () => {
  const [head, first, second] = describeNodes(nodes, undefined).split('\n');
  expect(head?.split(/ {2,}/)).toEqual([
    ...['NODE', 'STATE', 'ROLE', 'VERSION', 'MEMORY', 'POLICY', 'FRAGMENTATION', 'EVICTED', 'EXPIRED', 'CLIENTS'],
    ...['BLOCKED', 'UP FOR'],
  ]);
  expect(first).toMatch(
    /^a +active +master +7\.0\.0 +1\.5 KiB of 2\.0 KiB +allkeys-lru +1\.23 +12,345 +6 +7 of 10,000 +1 +\S/,
  );
  expect(second).toMatch(/^b +active( +-){10}$/);
});

it('fits 80 columns, without what matters less', () => {
  const lines = describeNodes(nodes, 80).split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(lines[0]).toMatch(/^NODE .*MEMORY .*EVICTED/);
});

// Symptom: TypeError at a proxy of an earlier version, which says nothing of them.
it('takes an answer without figures', () => {
  const { figures: _, version: __, ...earlier } = NODE;
  expect(describeNodes([earlier as NodeView], undefined)).toContain('a');
});
