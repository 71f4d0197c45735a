/** The table of errors against what is raised, and what is documented. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, errorReference, RingproxyError } from '../src/errors.js';
import { ROOT } from './support/root.js';

const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
  .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
  .join('\n');

describe('the table of errors', () => {
  it('stands in the documentation (npm run docs)', () => {
    const page = readFileSync(join(ROOT, 'src/docs/errors.md'), 'utf8');
    expect(/<!-- errors:start -->\n([\s\S]*?)\n<!-- errors:end -->/.exec(page)?.[1]).toBe(errorReference());
  });

  it.each(Object.keys(ERRORS))('%s is raised somewhere', (code) => {
    // Or a table makes it of what somebody else says.
    expect(SOURCES).toMatch(new RegExp(`(?:\\(\\s*|\\bcode: )'${code}',`));
  });
});

describe('an error', () => {
  it('has status, exit code and hint of its row', () => {
    const { status, exitCode, hint } = new RingproxyError('NOTHING_TO_CHANGE', 'the ring is like that already');
    expect({ status, exitCode, hint }).toEqual({ status: 409, exitCode: 1, hint: 'nothing needs to be done' });
  });

  it('may know better what to do', () => {
    expect(new RingproxyError('UNKNOWN_NODE', 'no node x', 'its nodes are: a').hint).toBe('its nodes are: a');
  });

  it('ends the program with 2 where it was configured wrongly', () => {
    expect(new RingproxyError('NO_NODES', 'the ring has no nodes').exitCode).toBe(2);
  });
});
