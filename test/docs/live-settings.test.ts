/** The docs name every setting that SIGHUP puts in force at once. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DATA_PLANE_SETTINGS, forLiveSettings } from '../../src/proxy/settings.js';
import { ROOT } from '../support/root.js';

it('settings that change while clients are served are told of', () => {
  const text = readFileSync(join(ROOT, 'src/docs/operations.md'), 'utf8');
  const paragraph = text.slice(text.indexOf('## Change settings'), text.indexOf('## Workers'));
  const paths = Object.values(forLiveSettings((name) => DATA_PLANE_SETTINGS[name].path));
  expect(paths.filter((path) => !paragraph.includes(`\`${path}\``))).toEqual([]);
});
