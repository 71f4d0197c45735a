import { expect, it } from 'vitest';
import { DEFAULT_RING_OPTIONS } from '../../../src/ring/ring.js';
import { firstState } from '../../../src/topology/state/ring-state.js';
import { readRing, writeRing } from '../../../src/topology/store/etcd/records.js';

// A proxy that knows of no patterns would look elsewhere for keys: format 1 is all that it understands.
it.each([
  [undefined, 1],
  [[], 1],
  [['bull:{*}:'], 2],
])('a ring with the hash tag patterns %j is recorded in format %i', (hashTags, format) => {
  const state = firstState([{ name: 'a', address: '127.0.0.1:1', weight: 1 }], { ...DEFAULT_RING_OPTIONS, hashTags });
  const value = writeRing({ state, previous: null, write: 'w' });
  expect(JSON.parse(value)).toMatchObject({ format });
  const kv = { key: 'ring', value, create_revision: 1, mod_revision: 1, version: 1, lease: '0' };
  expect(readRing(kv).state).toEqual(state);
});
