import { expect, it } from 'vitest';
import { keySlot } from '../../../../src/proxy/features/cluster/key-slot.js';

it.each([
  // What CLUSTER KEYSLOT of a Redis 7.0.15 with cluster support says.
  ['foo', 12_182],
  ['', 0],
  ['123456789', 12_739],
  ['{user1000}.following', 3443],
  ['user1000', 3443],
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', 4015],
])('%s', (key, slot) => {
  expect(keySlot(Buffer.from(key))).toBe(slot);
});
