import { expect, it } from 'vitest';
import { otherProcess } from '../../../src/proxy/upstream/other-process.js';

it('a new connection serves when it leads to the process that may, or when nobody asks', () => {
  const kinds = (expected: string | undefined, runId: string, complaint = '', othersServe = false) =>
    otherProcess(expected, runId, complaint, othersServe)?.kind ?? null;
  for (const any of [undefined, '']) expect(kinds(any, 'b')).toBeNull();
  expect(kinds('a', 'a')).toBeNull();
  expect(kinds('a', 'b')).toBe('restarted');
  expect(kinds('none', 'a')).toBe('restarted');
  // It does not say: a right that it lacks, or a script that runs. Only then connections of before prove who it is.
  expect(kinds('a', '', 'NOPERM no permissions', true)).toBe('no-run-id');
  expect(kinds('a', '', 'BUSY Redis is busy', true)).toBeNull();
  expect(kinds('a', '', 'BUSY Redis is busy')).toBe('no-run-id');
  expect(otherProcess('a', '', 'NOPERM no permissions', true)?.detail).toBe('NOPERM no permissions');
});
