import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../support/root.js';

const SCRIPT = join(ROOT, 'cli/bootstrap/recommended-node.mjs');

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

it('images, settings and pages recommend the Node.js that CI and the benchmark take', () => {
  const major = /RECOMMENDED_MAJOR = (\d+)/.exec(readFileSync(SCRIPT, 'utf8'))?.[1];
  const image = `node:${major}-alpine`;
  expect(read('compose/Dockerfile')).toContain(`ARG NODE_IMAGE=${image}\n`);
  expect(read('compose/README.md')).toContain(`\`${image}\``);
  expect(new Set(read('compose/compose.yaml').match(/NODE_IMAGE:-[^}]+/g))).toEqual(new Set([`NODE_IMAGE:-${image}`]));
  expect(read('README.md')).toContain(`Node.js ${major} is recommended`);
});

it.runIf(`${process.platform}-${process.arch}` === 'linux-x64')('is brought when it is missing, and runs', () => {
  const path = execFileSync(process.execPath, [SCRIPT], { encoding: 'utf8' }).trim();
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' });
  expect(read('compose/Dockerfile')).toContain(`node:${/^v(\d+)\./.exec(version)?.[1]}-alpine`);
});
