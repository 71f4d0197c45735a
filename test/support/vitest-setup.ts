import { afterAll, onTestFinished } from 'vitest';
import { endAll, setTestScope } from './cleanup.js';

setTestScope((end) => {
  try {
    onTestFinished(end);
    return true;
  } catch {
    // Not inside a test.
    return false;
  }
});

// Registered before any hook of the test file, so it runs behind all of them.
afterAll(endAll);
