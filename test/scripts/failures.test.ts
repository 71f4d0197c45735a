/** What `npm test` says at its end of what has failed. */
import { describe, expect, it } from 'vitest';
import { failuresIn, listFailures, type Report } from './failures.mjs';

const passed = { fullName: 'a ring has nodes', status: 'passed', failureMessages: [] };
const failed = {
  fullName: 'a ring knows where a key is',
  status: 'failed',
  failureMessages: [
    [
      "AssertionError: expected \u001b[31m'node1'\u001b[39m to be 'node2'",
      '    at /home/me/ringproxy/test/ring/ring.test.ts:7:21',
      '    at runTest (file:///home/me/ringproxy/node_modules/vitest/dist/runner.js:1:2)',
    ].join('\n'),
  ],
};

function report(...testResults: Report['testResults']): Report {
  return { testResults };
}

function file(name: string, ...assertionResults: Report['testResults'][number]['assertionResults']) {
  const status = assertionResults.some((test) => test.status === 'failed') ? 'failed' : 'passed';
  return { name: `/home/me/ringproxy/${name}`, status, assertionResults };
}

describe('the list of what failed', () => {
  it('is empty where nothing has', () => {
    const failures = failuresIn(report(file('test/ring/ring.test.ts', passed)), '/home/me/ringproxy');
    expect(listFailures([{ run: '', failures }])).toBe('');
  });

  it('names file and test with the first lines of its error, without colours and packages', () => {
    const failures = failuresIn(report(file('test/ring/ring.test.ts', passed, failed)), '/home/me/ringproxy');
    expect(listFailures([{ run: '', failures }])).toBe(
      [
        '',
        '── failed',
        '  test/ring/ring.test.ts › a ring knows where a key is',
        "      AssertionError: expected 'node1' to be 'node2'",
        '          at /home/me/ringproxy/test/ring/ring.test.ts:7:21',
        '',
      ].join('\n'),
    );
  });

  it('names a file that fails outside of its tests', () => {
    const broken = { ...file('test/ring/ring.test.ts', passed), status: 'failed', message: 'Cannot find module' };
    const failures = failuresIn(report(broken), '/home/me/ringproxy');
    expect(failures).toEqual([{ file: 'test/ring/ring.test.ts', test: '', error: 'Cannot find module' }]);
  });

  it('has those of every run, and says which', () => {
    const failure = { file: 'a.test.ts', test: 'a', error: 'no' };
    const text = listFailures([
      { run: '', failures: [failure] },
      { run: 'Node.js 26', failures: [failure, { file: '', test: '', error: 'ended by SIGKILL' }] },
    ]);
    expect(text.split('\n').filter((line) => /^ {2}\S/.test(line))).toEqual([
      '  a.test.ts › a',
      '  Node.js 26 › a.test.ts › a',
      '  Node.js 26',
    ]);
  });

  it('stays short, whatever failed how often, with errors of any length', () => {
    const error = `${'x'.repeat(100_000)}\n`.repeat(50);
    const failures = Array.from({ length: 300 }, (_, i) => ({ file: 'a.test.ts', test: `test ${i}`, error }));
    const lines = listFailures([{ run: '', failures }]).split('\n');
    expect(lines.length).toBeLessThan(300);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(650);
    expect(lines.at(-2)).toBe('  and 260 more');
  });
});
