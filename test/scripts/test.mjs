// `npm test` on a fresh clone: installs what is missing, then type check, lint, import rule, unused code, build and
// every test, and without arguments the core of them again on the recommended Node.js. Arguments go to vitest:
// `npm test -- test/ring`. At the end stands what has failed, in short; the last line reads `N passed, N failed`; each
// of the checks counts as one test.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../cli/bootstrap/build.mjs';
import { ensureDependencies } from '../../cli/bootstrap/dependencies.mjs';
import { APPLICATIONS, ensurePrograms } from '../../cli/bootstrap/programs.mjs';
import { requireNode, root, run, runTool } from '../../cli/bootstrap/project.mjs';
import { ensureRecommendedNode, RECOMMENDED_MAJOR } from '../../cli/bootstrap/recommended-node.mjs';
import { failuresIn, listFailures } from './failures.mjs';

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
if (process.env.CI) ensurePrograms([...SERVERS, ...REFEREES, ...APPLICATIONS]);
else ensurePrograms(SERVERS, [...REFEREES, ...APPLICATIONS]);

/** What a run tells that has not come to its end. */
const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [] };

let passed = 0;
let failed = 0;
/** Of each run of the tests, and of the checks. */
const runs = [];
for (const [name, check] of CHECKS) {
  console.log(`\n── ${name}`);
  if (check() === 0) {
    passed++;
  } else {
    failed++;
    runs.push({ run: name, failures: [{ file: '', test: '', error: 'failed: see above' }] });
    console.log(`${name}: failed`);
  }
}

const args = process.argv.slice(2);
console.log('\n── tests');
count('', runTests(args));
if (args.length === 0) runCore();
process.stdout.write(listFailures(runs));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function count(run, tests) {
  runs.push({ run, failures: tests.failures });
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
    count(`Node.js ${RECOMMENDED_MAJOR}`, runTests(['--config', 'test/core.config.ts'], node));
  } else {
    console.log(`Node.js ${RECOMMENDED_MAJOR} is not to be had here.`);
    // In CI nothing is left out.
    if (process.env.CI) {
      const error = 'it is not to be had';
      count(`Node.js ${RECOMMENDED_MAJOR}`, { ...NOTHING, failed: 1, failures: [{ file: '', test: '', error }] });
    }
  }
}

function runTests(args, node = process.execPath) {
  const report = join(root, '.cache/vitest.json');
  rmSync(report, { force: true });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = runTool('vitest', 'vitest', ['run', ...reporters, ...args], {}, node);
  let tests = NOTHING;
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    // Each test, and each file that fails outside of its tests.
    const failures = failuresIn(result, root);
    tests = {
      passed: result.numPassedTests,
      failed: failures.length,
      skipped: result.numPendingTests + result.numTodoTests,
      failures,
    };
  } catch {
    // vitest ended before it could report.
  }
  if (status === 0 || tests.failed > 0) return tests;
  const error = `vitest ended with ${status}: an error outside of any file, such as an unhandled rejection; see above`;
  return { ...tests, failed: 1, failures: [{ file: '', test: '', error }] };
}
