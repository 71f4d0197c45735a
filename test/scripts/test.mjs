// `npm test` on a fresh clone: installs what is missing, then type check, lint, import rule, unused code, build and
// every test, and without arguments the core of them again on the recommended Node.js. Arguments go to vitest:
// `npm test -- test/ring`. The last line reads `N passed, N failed`; each of the checks counts as one test.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../cli/bootstrap/build.mjs';
import { ensureDependencies } from '../../cli/bootstrap/dependencies.mjs';
import { ensurePrograms } from '../../cli/bootstrap/programs.mjs';
import { requireNode, root, run, runTool } from '../../cli/bootstrap/project.mjs';
import { ensureRecommendedNode, RECOMMENDED_MAJOR } from '../../cli/bootstrap/recommended-node.mjs';

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

const args = process.argv.slice(2);
console.log('\n── tests');
count(runTests(args));
if (args.length === 0) runCore();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function count(tests) {
  passed += tests.passed;
  failed += tests.failed;
  if (tests.skipped > 0) console.log(`${tests.skipped} skipped`);
}

/** The core of the tests on the recommended Node.js, when that is another one than ours. */
function runCore() {
  console.log(`\n── the core of the tests on Node.js ${RECOMMENDED_MAJOR}`);
  const node = ensureRecommendedNode();
  if (node === process.execPath) {
    console.log('That is what all tests have run on.');
  } else if (node !== null) {
    count(runTests(['--config', 'test/core.config.ts'], node));
  } else {
    console.log(`Node.js ${RECOMMENDED_MAJOR} is not to be had here.`);
    // In CI nothing is left out.
    if (process.env.CI) failed++;
  }
}

function runTests(args, node = process.execPath) {
  const report = join(root, '.cache/vitest.json');
  rmSync(report, { force: true });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = runTool('vitest', 'vitest', ['run', ...reporters, ...args], {}, node);
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
