/** The core of the tests, which `npm test` runs on the recommended Node.js as well. */
import { defineConfig } from 'vitest/config';
import { coreGroups } from './support/groups.js';
import { ROOT } from './support/root.js';

export default defineConfig({
  root: ROOT,
  test: {
    globalSetup: ['test/support/global-setup.mjs'],
    projects: coreGroups(),
  },
});
