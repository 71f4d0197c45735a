import { expect, it } from 'vitest';
import { nodeKey, sameNode } from '../../src/node/identity.js';

it('is told by name and address', () => {
  const node = { name: 'n1', address: '127.0.0.1:6379' };
  const moved = { name: 'n1', address: '127.0.0.1:6380' };
  const renamed = { name: 'n2', address: '127.0.0.1:6379' };
  expect(sameNode(node, { ...node, weight: 2 } as typeof node)).toBe(true);
  expect(sameNode(node, moved)).toBe(false);
  expect(sameNode(node, renamed)).toBe(false);
  expect(new Set([node, { ...node }, moved, renamed].map(nodeKey)).size).toBe(3);
});
