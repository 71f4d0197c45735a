import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandReference } from '../../src/commands/reference.js';
import { occasionReference } from '../../src/commands/reference-occasions.js';

const page = readFileSync(new URL('../../src/docs/commands.md', import.meta.url), 'utf8');

function tableBetween(mark: string): string | undefined {
  return new RegExp(`<!-- ${mark}:start -->\\n([\\s\\S]*?)\\n<!-- ${mark}:end -->`).exec(page)?.[1];
}

it("the documentation's tables of commands are those of the command table (npm run docs)", () => {
  expect(tableBetween('commands')).toBe(commandReference());
  expect(tableBetween('occasions')).toBe(occasionReference());
});
