import { defineConfig } from 'vitest/config';
import { allGroups } from './test/support/groups.js';

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.mjs'],
    projects: allGroups(),
  },
});
