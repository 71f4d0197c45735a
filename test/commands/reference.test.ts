import { expect, it } from 'vitest';
import { commandReference } from '../../src/commands/reference.js';
import { documented } from '../support/documentation.js';

it('the documentation has the table of commands (npm run tables)', () => {
  expect(documented('commands')).toBe(commandReference());
});
