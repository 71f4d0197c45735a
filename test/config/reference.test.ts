import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configReference } from '../../src/config/reference.js';

it("the README's table of settings is that of the schema (node dist/cli/main.js config reference)", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /<!-- config:start -->\n([\s\S]*?)\n<!-- config:end -->/.exec(readme)?.[1];
  expect(table).toBe(configReference());
});
