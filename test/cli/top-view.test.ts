import { describe, expect, it } from 'vitest';
import { describeSample, type Sample } from '../../cli/top-view.js';
import type { NodeView } from '../../src/admin/api.js';
import { changeView, coordinationView, proxyView, ringView } from './fake-admin.js';

function sampleOf(names: readonly string[], fields: Partial<NodeView> = {}): Sample {
  const [node] = ringView().nodes;
  if (node === undefined) throw new Error('no node');
  const nodes = names.map((name) => ({ ...node, name, ...fields }));
  const load = { commandsPerSecond: 1234.5, errorsPerSecond: 0, p50: 0.0001, p99: 0.001, up: true, inflight: 3 };
  return {
    ring: ringView({ nodes, change: changeView({ throttle: 1500 }) }),
    load: {
      ...{ at: '2026-01-01T00:00:00.000Z', seconds: 2, clients: 5, heldClients: 1, eventLoopLagSeconds: 0.0002 },
      ...{ cores: 0.25, residentMemory: 104857600 },
      ...{ commandsPerSecond: 12345.6, errorsPerSecond: 0.25, hitsPerSecond: 90, missesPerSecond: 10 },
      ...{ bytesInPerSecond: 2048, bytesOutPerSecond: 1536.4, keysMovedPerSecond: 0, p50: 0.00024, p99: 0.0012 },
      nodes: nodes.map(({ name, address }) => ({ ...load, node: name, address })),
      keyGroups: [],
    },
  };
}

describe('what top shows', () => {
  // Lines that were wider than the terminal were broken in the middle of a figure.
  it.each([50, 60, 80, 100, 120, 200])('is no wider than a terminal of %i columns', (width) => {
    const lines = describeSample(sampleOf(['a', `${'n'.repeat(60)}last`]), { width });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    const table = lines.slice(lines.indexOf('') + 1);
    expect(table).toHaveLength(3);
    expect(table[0]).toMatch(/^NODE .*STATE .*COMMANDS\/S/);
    expect(table[2]).toMatch(/^n+(…n+)?last .*1,23[45]/);
  });

  it('leaves the least important columns out first', () => {
    const head = (width: number): string => describeSample(sampleOf(['a']), { width }).at(-2) ?? '';
    expect(head(200)).toMatch(/ADDRESS.*ERRORS\/S.*P50.*P99.*IN FLIGHT.*KEYS.*MEMORY/);
    expect(head(80)).not.toMatch(/P50|IN FLIGHT/);
    expect(head(80)).toMatch(/SHARE.*LOAD.*P99.*KEYS/);
  });

  it('says why a node is down, and why nothing is new', () => {
    const sample = sampleOf(['a'], { state: 'down', reason: 'it refused the connection' });
    const lines = describeSample(sample, { trouble: 'the admin API cannot be reached' });
    expect(lines).toContain('a: it refused the connection');
    expect(lines[1]).toBe('the admin API cannot be reached; trying again');
  });

  it.each([60, 80, 200])('has the proxies of a fleet below the nodes, in %i columns', (width) => {
    const sample = sampleOf(['a']);
    const proxies = [
      proxyView({ admin: 'http://127.0.0.1:6390', jobs: ['mover/a', 'mover/b'] }),
      proxyView({ id: 'b2b2b2b2b2b2', admin: 'http://127.0.0.1:6391', alive: false, coordinator: false }),
    ];
    const coordination = coordinationView({
      kind: 'etcd',
      trouble: 'etcd is out of reach: the ring cannot be changed',
    });
    const lines = describeSample({ ...sample, ring: { ...sample.ring, proxies, coordination } }, { width });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines.join('\n')).toMatch(/etcd is out of reach/);
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/^PROXY .*ALIVE/),
      expect.stringMatching(/^a1a1a1a1a1a1 .*yes/),
      expect.stringMatching(/^b2b2b2b2b2b2 .*no/),
    ]);
    if (width === 200) expect(lines.at(-2)).toContain('coordinator; mover: a, b');
    // A proxy that is alone is the one that is asked.
    expect(describeSample(sample, { width }).join('\n')).not.toContain('PROXY');
  });
});
