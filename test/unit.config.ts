/** `npm run test:unit`: the tests that need no server and no build, in seconds. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { unitTests } from './support/unit-tests.js';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: unitTests(fileURLToPath(new URL('.', import.meta.url))),
    setupFiles: ['test/support/vitest-setup.ts'],
    // Only when to give up: a busy machine is no failure.
    testTimeout: 120_000,
  },
});
