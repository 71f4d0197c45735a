import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { ALONE, allGroups, CORE } from './groups.js';
import { ROOT } from './root.js';
import { tempFolder } from './temp-folder.js';
import { testsWithoutPrograms, unitTests } from './unit-tests.js';

/** @returns which of the files count as unit tests */
function among(files: Readonly<Record<string, string>>): string[] {
  const folder = tempFolder('unit-tests');
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return unitTests(folder).map((file) => relative(folder, file));
}

it('a test that starts a program is no unit test, however it comes by it', () => {
  expect(
    among({
      'pure.test.ts': "import { expect } from 'vitest';\nimport { value } from './deep/value.js';",
      'deep/value.ts': "import type { ChildProcess } from 'node:child_process';\nexport const value = 1;",
      'spawns.test.ts': "import { spawn } from 'node:child_process';",
      'imports.test.ts': "import {\n  type Redis,\n  startRedis,\n} from './deep/redis.js';",
      'exports.test.ts': "import './deep/again.js';",
      'later.test.ts': "const { startRedis } = await import('./deep/redis.js');",
      'deep/again.ts': "export * from './redis.js';",
      'deep/redis.ts': "import { spawn } from 'node:child_process';\nimport './again.js';",
    }),
  ).toEqual(['pure.test.ts']);
});

it('a test that explores a model is no unit test', () => {
  expect(
    among({
      'walk.test.ts': "import { explore } from './model/explore.js';",
      'model/explore.ts': 'export {};',
    }),
  ).toEqual([]);
});

it('has the pure parts of the project, and none of the tests with nodes', () => {
  const tests = unitTests(join(ROOT, 'test')).map((file) => relative(ROOT, file));
  expect(tests).toContain('test/ring/ring.test.ts');
  expect(tests).toContain('test/resp/request-framer.test.ts');
  const withNodes = /^test\/(?:scenarios|clients|fuzz|consistency)\/(?!interleavings\/search)/;
  expect(tests.filter((file) => withNodes.test(file))).toEqual([]);
});

it('what explores a model starts no program', () => {
  const tests = testsWithoutPrograms(join(ROOT, 'test')).map((file) => relative(ROOT, file));
  expect(tests).toContain('test/topology/protocol-model.test.ts');
  expect(tests).not.toContain('test/proxy/routing.test.ts');
});

it('tests that are named for a group are there', () => {
  expect([...ALONE, ...CORE].filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

it('each group is run by `npm test`, once', () => {
  const script = readFileSync(join(ROOT, 'test/scripts/test.mjs'), 'utf8');
  const run = [...script.matchAll(/project\(('[^)]*')\)/g)].flatMap(([, names]) => names?.match(/\w+/g) ?? []);
  expect(run.sort()).toEqual(
    allGroups()
      .map((group) => String(group.test?.name))
      .sort(),
  );
});
