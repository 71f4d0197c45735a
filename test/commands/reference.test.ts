import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandReference } from '../../src/commands/reference.js';

it("the documentation's table of commands is that of the command table (npm run docs)", () => {
  const page = readFileSync(new URL('../../src/docs/commands.md', import.meta.url), 'utf8');
  const table = /<!-- commands:start -->\n([\s\S]*?)\n<!-- commands:end -->/.exec(page)?.[1];
  expect(table).toBe(commandReference());
});
