/** The log as people read it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { ROOT } from '../support/root.js';

it('has one line for each event, and says nothing twice', () => {
  const module = pathToFileURL(join(ROOT, 'dist/src/telemetry/log.js')).href;
  const program = `
    const { createLogger } = await import(${JSON.stringify(module)});
    const log = createLogger({ level: 'info', format: 'pretty' });
    log.info({ event: 'ringproxy:ring:begun', change: 'id', kind: 'add', summary: 'add d begins', nodes: ['d'] }, 'add d begins');
    log.warn('node d is down');
  `;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(status).toBe(0);
  const lines = stripVTControlCharacters(stderr).trimEnd().split('\n');
  expect(lines).toEqual([
    expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: add d begins \{"kind":"add","nodes":\["d"\]\}$/),
    expect.stringMatching(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: node d is down$/),
  ]);
});
