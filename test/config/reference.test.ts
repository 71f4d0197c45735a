import { expect, it } from 'vitest';
import { configReference } from '../../src/config/reference.js';
import { documented } from '../support/documentation.js';

it('the documentation has the table of settings (npm run tables)', () => {
  expect(documented('config')).toBe(configReference());
});
