// What has failed, as a short list: what one must know is thousands of lines up otherwise. Plain JavaScript, as its
// caller runs before anything is installed.
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Of an error. More is above, where the test ran. */
const MOST_LINES = 6;
const MOST_COLUMNS = 600;
/** Beyond, the cause is the same one. */
const MOST_FAILURES = 40;

/** What vitest's JSON report says has failed. @param where beside which folder files are named @returns by test, or of the file as a whole */
export function failuresIn(report, where) {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(where, name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0) return status === 'failed' ? [{ file, test: '', error: message ?? '' }] : [];
    return failed.map(({ fullName, failureMessages }) => ({ file, test: fullName, error: failureMessages[0] ?? '' }));
  });
}

/** @param runs what failed in each run of the tests, by its name @returns text with a line's end; empty: nothing has failed */
export function listFailures(runs) {
  const failures = runs.flatMap(({ run, failures }) => failures.map((failure) => ({ run, ...failure })));
  if (failures.length === 0) return '';
  const shown = failures.slice(0, MOST_FAILURES).map(describe);
  const more = failures.length - shown.length;
  if (more > 0) shown.push(`  and ${more} more\n`);
  return `\n── failed\n${shown.join('')}`;
}

function describe({ run, file, test, error }) {
  const name = [run, file, test].filter((part) => part !== '').join(' › ');
  const lines = stripVTControlCharacters(error)
    .split('\n')
    .map((line) => line.trimEnd())
    // Where in a package's code a check was made tells nothing.
    .filter((line) => line !== '' && !/^\s+at .*node_modules/.test(line))
    .slice(0, MOST_LINES)
    .map((line) => (line.length > MOST_COLUMNS ? `${line.slice(0, MOST_COLUMNS)}…` : line));
  return `  ${name}\n${lines.map((line) => `      ${line}\n`).join('')}`;
}
