import { describe, expect, it, vi } from 'vitest';
import { batches } from '../../../../src/proxy/io/batch/batches.js';
import { findSystem } from '../../../../src/proxy/io/batch/system.js';
import { socketShortCuts } from '../../../../src/proxy/io/raw-socket.js';
import { hasBatches, theSystem } from '../../../support/batch-sockets.js';

const [major = 0] = process.versions.node.split('.').map(Number);
/** All other tests of them are skipped where there are none, so this one says where there must be some. */
const isExpected = major >= 26 && process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

it(`sockets are ${isExpected ? '' : 'not '}read and written together by Node.js ${major} here`, () => {
  expect(hasBatches).toBe(isExpected);
  expect(batches() !== null).toBe(isExpected);
  expect(socketShortCuts().batches).toBe(isExpected);
});

it('to look for it warns of nothing, and leaves other warnings as they are', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const { emitWarning } = process;
  findSystem();
  expect(process.emitWarning).toBe(emitWarning);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

describe.skipIf(!hasBatches)('the system', () => {
  it('shows the memory that is where a view of it says', () => {
    const { addressOf, wordsAt } = theSystem();
    const all = Int32Array.from([1, 2, 3, 4]);
    const words = wordsAt(addressOf(all.subarray(1)), 8);
    expect([...words]).toEqual([2, 3]);
    words[0] = 20;
    expect([...all]).toEqual([1, 20, 3, 4]);
  });
});
