/** What `npm publish` would publish. */
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './support/root.js';
import { tempFolder } from './support/temp-folder.js';

/** What belongs to the package; of `dist` only what runs, and what the page serves. */
const BELONGS = [
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^src\/docs\/[a-z-]+\.md$/i,
  /^dist\/(?:src|cli)\/[a-z0-9/-]+\.js$/,
  /^dist\/src\/admin\/page\/[a-z/-]+\.(?:html|css|svg|js)$/,
];

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** @param args where to; nothing is written with --dry-run */
function pack(...args: string[]): Packed {
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...args], { cwd: ROOT, encoding: 'utf8' });
  const [packed] = JSON.parse(said) as Packed[];
  if (packed === undefined) throw new Error(`npm pack said ${said}`);
  return packed;
}

it('has the program, its documentation, the license, and nothing else', () => {
  const paths = pack('--dry-run').files.map(({ path }) => path);
  expect(paths.filter((path) => !BELONGS.some((pattern) => pattern.test(path)))).toEqual([]);
  expect(paths).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'CHANGELOG.md',
      'src/docs/README.md',
      'dist/cli/main.js',
      'dist/src/admin/page/index.html',
    ]),
  );
});

it('runs where it is installed', () => {
  const folder = tempFolder('package');
  const { filename } = pack('--pack-destination', folder);
  execFileSync('tar', ['-xzf', filename], { cwd: folder });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const ringproxy = (...args: string[]): string =>
    execFileSync(process.execPath, [join(folder, 'package/dist/cli/main.js'), ...args], { encoding: 'utf8' });
  expect(ringproxy('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(ringproxy('config', 'reference')).toContain('`listen`');
});
