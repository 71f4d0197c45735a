import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configReference } from '../../src/config/reference.js';

it("the documentation's table of settings is that of the schema (npm run docs)", () => {
  const page = readFileSync(new URL('../../src/docs/settings.md', import.meta.url), 'utf8');
  const table = /<!-- config:start -->\n([\s\S]*?)\n<!-- config:end -->/.exec(page)?.[1];
  expect(table).toBe(configReference());
});
