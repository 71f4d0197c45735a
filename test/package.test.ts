/** What `npm publish` would publish, as those who install it have it. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { startRedises } from './support/redis-process.js';
import { ROOT } from './support/root.js';
import { tempFolder } from './support/temp-folder.js';

/** What belongs to the package; of `dist` only what runs, types of what can be imported, and what the page serves. */
const BELONGS = [
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^src\/docs\/[a-z-]+\.md$/i,
  /^dist\/(?:src|cli|bundle)\/[a-z0-9/-]+\.js$/,
  /^dist\/src\/[a-z/-]+\.d\.ts$/,
  /^dist\/src\/admin\/page\/[a-z/-]+\.(?:html|css|svg|js)$/,
];

const MEGABYTE = 1024 * 1024;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** What it is installed in. */
const folder = tempFolder('package');
let packed: Packed;
/** What npm said when it was installed. */
let said = '';

const run = promisify(execFile);

beforeAll(async () => {
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [found] = JSON.parse(execFileSync('npm', packing, { cwd: ROOT, encoding: 'utf8' })) as Packed[];
  if (found === undefined) throw new Error('npm has packed nothing');
  packed = found;
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', `./${packed.filename}`];
  const { stdout, stderr } = await run('npm', install, { cwd: folder, env: plainEnvironment() });
  said = `${stdout}${stderr}`;
});

/** Whoever installs it is not within `npm test`, whose settings npm hands on as variables. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}

describe('the package', () => {
  it('has the program, its types, its documentation, the license, and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !BELONGS.some((pattern) => pattern.test(path)))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'CHANGELOG.md',
        'src/docs/README.md',
        'dist/cli/main.js',
        'dist/bundle/serve.js',
        'dist/src/library/proxy.d.ts',
        'dist/src/admin/page/index.html',
      ]),
    );
    // About as much as the program takes today: what makes it much larger was packed by mistake.
    expect(packed.size).toBeLessThan(1.75 * MEGABYTE);
    expect(packed.unpackedSize).toBeLessThan(6.5 * MEGABYTE);
  });

  it('names no source maps, which it does not have', () => {
    for (const file of ['cli/main.js', 'bundle/serve.js', 'src/serve.js', 'src/admin/page/main.js']) {
      expect(readFileSync(join(folder, 'node_modules/ringproxy/dist', file), 'utf8')).not.toMatch(/sourceMappingURL/);
    }
  });

  // Symptom: npm install -g warned on Node.js 20 of a cookie package for Node.js 22. Cause: an override in package.json,
  // which npm looks at in the project that installs and in no other.
  it('is installed without a warning', () => {
    expect(said).not.toMatch(/warn|EBADENGINE|deprecated/i);
    expect(said).toMatch(/added \d+ packages/);
  });

  it('runs by npx where it is installed', () => {
    const ringproxy = (...args: string[]): string =>
      execFileSync('npx', ['--no-install', 'ringproxy', ...args], { cwd: folder, encoding: 'utf8' });
    expect(ringproxy('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(ringproxy('config', 'reference')).toContain('`listen`');
  });
});

describe('programs that import it', () => {
  /** Each stands in the documentation, and is run here as it stands there, but for the addresses. */
  const page = readFileSync(join(ROOT, 'src/docs/library.md'), 'utf8');
  const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');

  beforeAll(async () => {
    const servers = await startRedises(3);
    const real = (text: string): string =>
      text.replace(/127\.0\.0\.1:700([1-3])/g, (_all, number: string) => servers[Number(number) - 1]?.address ?? '');
    const [proxy = '', admin = '', ring = ''] = examples.map(real);
    // The second one asks the proxy that the first one has started.
    const asking = admin.replace("'http://127.0.0.1:6390'", 'String(proxy.admin)');
    const split = proxy.indexOf('stop();');
    writeFileSync(join(folder, 'ring.ts'), ring);
    const [imports, calls] = [/^import.*$/gm, asking.replace(/^import.*$/gm, '')] as const;
    const together = `${[...proxy.matchAll(imports), ...asking.matchAll(imports)].join('\n')}
${proxy.slice(0, split).replace(imports, '')}${calls}${proxy.slice(split)}
console.log('ended with', await proxy.ended);\n`;
    writeFileSync(join(folder, 'proxy.ts'), together);
    const common = {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'ES2022',
      lib: ['ES2022'],
      types: ['node'],
    };
    const compilerOptions = { ...common, typeRoots: [join(ROOT, 'node_modules/@types')], outDir: 'out' };
    const configure = (name: string, options: object): void =>
      writeFileSync(
        join(folder, name),
        JSON.stringify({ compilerOptions: { ...compilerOptions, ...options }, files: ['proxy.ts', 'ring.ts'] }),
      );
    configure('nodenext.json', { module: 'NodeNext' });
    configure('bundler.json', { module: 'ESNext', moduleResolution: 'Bundler', noEmit: true });
  });

  it.each(['nodenext.json', 'bundler.json'])('compile with the types that come along (%s)', async (project) => {
    const compiled = await run(process.execPath, [tsc, '-p', project], { cwd: folder }).catch(
      (error: unknown) => error,
    );
    expect(compiled).toMatchObject({ stdout: '', stderr: '' });
  });

  it('start a proxy, change its ring, and end by themselves when it is closed', async () => {
    const { stdout, stderr } = await run(process.execPath, ['out/proxy.js'], { cwd: folder });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^127\.0\.0\.1:\d+ http:\/\/127\.0\.0\.1:\d+ \{ ready: true, reason: '' \}$/m);
    expect(stdout).toMatch(/ringproxy:ring:finished/);
    expect(stdout).toMatch(/^add c 0$/m);
    expect(stdout).toMatch(/^c 0\.\d+ active$/m);
    expect(stdout).toMatch(/^ended with null$/m);
  });

  it('ask a ring without a proxy', async () => {
    const { stdout, stderr } = await run(process.execPath, ['out/ring.js'], { cwd: folder });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^[ab] \d+$/m);
    expect(stdout).toMatch(/^mail$/m);
    expect(stdout).toMatch(/^2\d\.\d % of the keys move/m);
  });
});
