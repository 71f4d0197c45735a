import { describe, expect, it } from 'vitest';
import { buildRingSync } from '../../src/ring/build.js';
import type { NodeSpec } from '../../src/ring/node-spec.js';
import { DEFAULT_RING_OPTIONS } from '../../src/ring/ring.js';
import { overNodes } from '../../src/ring/union.js';

const node = (name: string, address = `${name}:6379`): NodeSpec => ({ name, address, weight: 1 });

describe('a ring over a longer list of nodes', () => {
  const ring = buildRingSync([node('a'), node('b')], { ...DEFAULT_RING_OPTIONS, vnodes: 160 });

  it('has the same owners, and gives the others nothing', () => {
    const longer = overNodes(ring, [node('c'), node('b'), node('a', 'elsewhere:1'), node('a')]);
    for (let hash = 0; hash < 2 ** 32; hash += 10_000_019) {
      const expected = ring.nodes[ring.ownerOfHash(hash)];
      expect(longer.nodes[longer.ownerOfHash(hash)]).toEqual(expected);
    }
    const [a, b] = ring.shares();
    expect([...longer.shares()]).toEqual([0, b, 0, a]);
    expect([...longer.pointCounts]).toEqual([0, 160, 0, 160]);
  });

  it('must have all nodes of the ring, with their addresses', () => {
    expect(() => overNodes(ring, [node('b'), node('a', 'elsewhere:1')])).toThrow('node a is not among the nodes');
  });
});
