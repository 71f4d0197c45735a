import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandReference } from '../../src/commands/reference.js';
import { crossNodeReference } from '../../src/commands/reference-cross-node.js';
import { occasionReference } from '../../src/commands/reference-occasions.js';

function tableBetween(mark: string, name = 'commands'): string | undefined {
  const page = readFileSync(new URL(`../../src/docs/${name}.md`, import.meta.url), 'utf8');
  return new RegExp(`<!-- ${mark}:start -->\\n([\\s\\S]*?)\\n<!-- ${mark}:end -->`).exec(page)?.[1];
}

it("the documentation's tables of commands are those of the command table (npm run docs)", () => {
  expect(tableBetween('commands')).toBe(commandReference());
  expect(tableBetween('occasions')).toBe(occasionReference());
  expect(tableBetween('cross-node', 'cross-node')).toBe(crossNodeReference());
});
