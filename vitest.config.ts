import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.mjs'],
    setupFiles: ['test/support/vitest-setup.ts'],
    // Real servers and two cores: files run one after the other, so that timings mean something.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A wait ends with what it waits for; this is only when to give up, and a busy machine is no failure.
    expect: { poll: { timeout: 30_000 } },
  },
});
