/** What programs can rely on does not change by accident. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apiReport, declarations } from '../../cli/bootstrap/declarations.mjs';
import { settingsInterface } from '../../src/config/settings-interface.js';
import { ROOT } from '../support/root.js';

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

it('what programs import is as it was reported (npm run docs reports it anew; see what the change is to those who use it)', () => {
  expect(apiReport()).toBe(textOf('test/library/api.txt'));
});

it('its types name nothing that those who install the package lack', () => {
  expect(declarations({ comments: true }).mistakes).toEqual([]);
});

it('its settings are those of a configuration file (npm run docs)', () => {
  expect(settingsInterface()).toBe(textOf('src/library/settings.ts'));
});
