import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { SETTINGS } from '../../src/config/settings.js';
import { configTemplate } from '../../src/config/template.js';
import { tempFolder } from '../support/temp-folder.js';

function load(text: string): object {
  const file = join(tempFolder('template'), 'ringproxy.yaml');
  writeFileSync(file, text);
  return loadConfig({ file });
}

const THREE_NODES = 'nodes: [a=127.0.0.1:7001, b=127.0.0.1:7002, c=127.0.0.1:7003]\n';

it('is a configuration as it stands', () => {
  expect(load(configTemplate())).toEqual(load(THREE_NODES));
});

it('is the same when every setting is uncommented', () => {
  const words = Object.values(SETTINGS).flatMap(({ path }) => path.split('.'));
  const line = new RegExp(`^# ( *(?:${[...new Set(words)].join('|')}):(?: .*)?)$`, 'gm');
  // `auto: …` of a remark is no setting.
  const text = configTemplate().replace(line, '$1');
  expect(text).toContain('\nlisten: 127.0.0.1:6380\n');
  expect(text).toContain('\n  vnodes: 4096\n');
  expect(load(text)).toEqual(load(THREE_NODES));
});
