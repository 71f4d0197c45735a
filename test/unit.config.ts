/** `npm run test:unit`: the tests that need no server and no build, in seconds. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { unitTests } from './support/unit-tests.js';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: unitTests(fileURLToPath(new URL('.', import.meta.url))),
    setupFiles: ['test/support/vitest-setup.ts'],
    // What is imported is imported once, by each of two processes, and not for each file anew. That one file does not
    // get in another one's way is seen here; `npm test` runs each in a process of its own.
    isolate: false,
    maxWorkers: 2,
    // Only when to give up: a busy machine is no failure.
    testTimeout: 120_000,
  },
});
