// `npm test` on a fresh clone: installs what is missing, then build and every test, and without arguments the core of
// them again on the recommended Node.js. Type check, lint, import rule, unused code and the tests that compute for
// minutes run beside tests that wait for servers; what looks at a clock begins when they have ended. Arguments go to
// vitest: `npm test -- test/ring`. At the end stands what has failed, in short; the last line reads
// `N passed, N failed`; each of the checks counts as one test.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../../cli/bootstrap/build.mjs';
import { ensureDependencies } from '../../cli/bootstrap/dependencies.mjs';
import { APPLICATIONS, ensurePrograms } from '../../cli/bootstrap/programs.mjs';
import { requireNode, root, toolPath } from '../../cli/bootstrap/project.mjs';
import { ensureRecommendedNode, RECOMMENDED_MAJOR } from '../../cli/bootstrap/recommended-node.mjs';
import { runAside, runMeanwhile } from './aside.mjs';
import { failuresIn, listFailures } from './failures.mjs';

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

/** Beside the tests. Each a name, and a script with its arguments. */
const CHECKS = [
  ['type check', [toolPath('typescript', 'tsc'), '-p', '.', '--noEmit']],
  ["type check of the page's program", [toolPath('typescript', 'tsc'), '-p', 'src/admin/page', '--noEmit']],
  ['lint and format', [toolPath('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.']],
  ['import rule', [join(root, 'test/scripts/imports.mjs')]],
  ['unused code', [toolPath('knip', 'knip')]],
];

/** What a run tells that has not come to its end. */
const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [] };

let passed = 0;
let failed = 0;
/** Of each run of the tests, and of the checks. */
const runs = [];

console.log('\n── build');
countCheck('build', build({ checkTypes: false }));
const args = process.argv.slice(2);
if (args.length > 0) await testSome(args);
else await testAll();
process.stdout.write(listFailures(runs));
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function testSome(args) {
  const checks = checkAside();
  console.log('\n── tests');
  count('', await runTests('some', args));
  await checks;
}

async function testAll() {
  const aside = checkAside().then(computeAside);
  console.log('\n── tests');
  count('', await runTests('beside', project('computing', 'servers')));
  await aside;
  console.log('\n── tests that run alone');
  count('', await runTests('alone', project('alone')));
  await testCore();
}

async function checkAside() {
  for (const [name, command] of CHECKS) {
    const { status, output } = await runAside(process.execPath, command);
    console.log(`\n── ${name}\n${output}`);
    countCheck(name, status);
  }
}

/** One of their files at a time, as the third one beside two of the others. */
async function computeAside() {
  let written = '';
  const tests = await runTests('long', ['--no-file-parallelism', ...project('long')], async (program, args) => {
    const { status, output } = await runAside(program, args);
    written = output;
    return status;
  });
  console.log(`\n── tests that compute for minutes\n${written}`);
  count('', tests);
}

/** The core of the tests on the recommended Node.js, when that is another one than ours. */
async function testCore() {
  console.log(`\n── the core of the tests on Node.js ${RECOMMENDED_MAJOR}`);
  const node = ensureRecommendedNode();
  if (node === process.execPath) {
    console.log('That is what all tests have run on.');
  } else if (node !== null) {
    const run = (_program, args) => runMeanwhile(node, args);
    count(`Node.js ${RECOMMENDED_MAJOR}`, await runTests('core', ['--config', 'test/core.config.ts'], run));
  } else {
    console.log(`Node.js ${RECOMMENDED_MAJOR} is not to be had here.`);
    // In CI nothing is left out.
    if (process.env.CI) {
      const error = 'it is not to be had';
      count(`Node.js ${RECOMMENDED_MAJOR}`, { ...NOTHING, failed: 1, failures: [{ file: '', test: '', error }] });
    }
  }
}

/** Of the groups of test/support/groups.ts, each of which is named once above. */
function project(...names) {
  return names.flatMap((name) => ['--project', name]);
}

function countCheck(name, status) {
  if (status === 0) {
    passed++;
    return;
  }
  failed++;
  runs.push({ run: name, failures: [{ file: '', test: '', error: 'failed: see above' }] });
  console.log(`${name}: failed`);
}

function count(run, tests) {
  runs.push({ run, failures: tests.failures });
  passed += tests.passed;
  failed += tests.failed;
  if (tests.skipped > 0) console.log(`${tests.skipped} skipped`);
}

/** @param name its report's: several run at once */
async function runTests(name, args, run = runMeanwhile) {
  const report = join(root, `.cache/vitest-${name}.json`);
  rmSync(report, { force: true });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = await run(process.execPath, [toolPath('vitest', 'vitest'), 'run', ...reporters, ...args]);
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
