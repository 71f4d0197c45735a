import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.js';
import { cliReference } from '../../cli/reference.js';

it("the documentation's table of the command line is that of the program (npm run docs)", () => {
  const page = readFileSync(new URL('../../src/docs/cli.md', import.meta.url), 'utf8');
  const table = /<!-- cli:start -->\n([\s\S]*?)\n<!-- cli:end -->/.exec(page)?.[1];
  expect(table).toBe(cliReference(buildProgram()));
});
