import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandReference } from '../../src/commands/reference.js';

it("the README's table of commands is that of the command table (npm run command-table)", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = /<!-- commands:start -->\n([\s\S]*?)\n<!-- commands:end -->/.exec(readme)?.[1];
  expect(table).toBe(commandReference());
});
