import { expect, it } from 'vitest';
import { LoadedScripts } from '../../../src/proxy/upstream/loaded-scripts.js';

it('a lane loads a script once, and again when the node has lost it', () => {
  const scripts = new LoadedScripts();
  expect([scripts.add('a'), scripts.add('a'), scripts.add('b')]).toEqual([true, false, true]);
  scripts.delete('a');
  expect([scripts.add('a'), scripts.add('b')]).toEqual([true, false]);
  scripts.clear();
  expect([scripts.add('a'), scripts.add('b')]).toEqual([true, true]);
});
