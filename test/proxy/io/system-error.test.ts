/**
 * Symptom: clients read `-NODEDOWN … cannot be reached: write failed with status -104`. Cause: what the short cut past the
 * stream told of a write that failed had no code, so nobody knew that the node had cut the connection.
 */
import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { systemFailure } from '../../../src/node/failure.js';
import { systemError } from '../../../src/proxy/io/system-error.js';

it('a write that the other side has cut off is told as that', () => {
  for (const errno of [constants.errno.ECONNRESET, constants.errno.EPIPE]) {
    expect(systemFailure(systemError('write', -errno))).toEqual({ kind: 'cut', step: '', detail: '' });
  }
});

it('any other one says what the system calls it', () => {
  expect(systemError('write', -constants.errno.ENOBUFS)).toMatchObject({ code: 'ENOBUFS', message: 'write ENOBUFS' });
  expect(systemError('write', -9999).message).toContain('9999');
});
