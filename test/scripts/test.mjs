// `npm test` on a fresh clone: installs what is missing, then type check, lint, import rule, unused code, build and
// every test. Arguments go to vitest: `npm test -- test/ring`. The last line reads `N passed, N failed`; each of the
// checks counts as one test.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../cli/bootstrap/build.mjs';
import { ensureDependencies } from '../../cli/bootstrap/dependencies.mjs';
import { ensurePrograms } from '../../cli/bootstrap/programs.mjs';
import { requireNode, root, run, runTool } from '../../cli/bootstrap/project.mjs';

const CHECKS = [
  ['type check', () => runTool('typescript', 'tsc', ['-p', '.', '--noEmit'])],
  ["type check of the page's program", () => runTool('typescript', 'tsc', ['-p', 'src/admin/page', '--noEmit'])],
  ['lint and format', () => runTool('@biomejs/biome', 'biome', ['check', '--error-on-warnings', '.'])],
  ['import rule', () => run(process.execPath, [join(root, 'test/scripts/imports.mjs')])],
  ['unused code', () => runTool('knip', 'knip', [])],
  ['build', () => build({ checkTypes: false })],
];

const SERVERS = ['redis-server', 'redis-cli', 'redis-benchmark'];
/** What the tests that compare with them are skipped without; in CI nothing is skipped (test/support/programs.ts). */
const REFEREES = [
  'nutcracker',
  'prometheus',
  'promtool',
  'docker-compose',
  'haproxy',
  'chromium',
  'ip',
  'iptables',
  'perl',
  'etcd',
  'etcdctl',
  'faketime',
];

requireNode();
ensureDependencies();
if (process.env.CI) ensurePrograms([...SERVERS, ...REFEREES]);
else ensurePrograms(SERVERS, REFEREES);

let passed = 0;
let failed = 0;
for (const [name, check] of CHECKS) {
  console.log(`\n── ${name}`);
  if (check() === 0) {
    passed++;
  } else {
    failed++;
    console.log(`${name}: failed`);
  }
}

console.log('\n── tests');
const tests = runTests(process.argv.slice(2));
passed += tests.passed;
failed += tests.failed;
if (tests.skipped > 0) console.log(`${tests.skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function runTests(args) {
  const report = join(root, '.cache/vitest.json');
  rmSync(report, { force: true });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const status = runTool('vitest', 'vitest', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ]);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts.passed = result.numPassedTests;
    counts.failed = result.numFailedTests;
    counts.skipped = result.numPendingTests + result.numTodoTests;
    // A file that fails outside of its tests.
    counts.failed += result.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
    ).length;
  } catch {
    // vitest ended before it could report.
  }
  // Errors outside of any file, such as an unhandled rejection.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}
