/** The table of errors that clients see, against what the data plane says, counts and documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ErrorKinds } from '../../../src/proxy/measure/error-kinds.js';
import { OWN_ERRORS, ownErrorReference } from '../../../src/proxy/request/own-errors.js';
import { ROOT } from '../../support/root.js';

const CODES: ReadonlySet<string> = new Set(OWN_ERRORS.map(({ code }) => code));

/** What may be an error reply in the source: a text that begins with a word in capitals, with its `-` or without. */
const ERROR_TEXT = /['"`]-?([A-Z]{3,}) [a-zA-Z$<']/g;
/** What looks like one and is a command. */
const COMMANDS = new Set(['CLIENT', 'SELECT', 'CONFIG', 'DEBUG', 'ACL', 'DRYRUN', 'GETUSER']);
/** What looks like one and is told to operators alone, as why a node is down. */
const REASONS = new Set(['UNANSWERED']);

/** @returns the codes of the errors in the sources, each with a file that has it */
function codesIn(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('own-errors.ts')) continue;
    for (const [, code = ''] of readFileSync(join(ROOT, folder, file), 'utf8').matchAll(ERROR_TEXT)) {
      if (!COMMANDS.has(code) && !REASONS.has(code)) found.set(code, file);
    }
  }
  return found;
}

describe('the errors that clients see', () => {
  it('stand in the documentation (npm run docs)', () => {
    const page = readFileSync(join(ROOT, 'src/docs/errors.md'), 'utf8');
    expect(/<!-- own-errors:start -->\n([\s\S]*?)\n<!-- own-errors:end -->/.exec(page)?.[1]).toBe(ownErrorReference());
  });

  it('begin with a code of the table, and each of its codes is used', () => {
    const said = codesIn('src/proxy');
    expect([...said].filter(([code]) => !CODES.has(code))).toEqual([]);
    expect([...CODES].filter((code) => !said.has(code))).toEqual([]);
  });

  it.each(['CROSSSLOT', 'NODEDOWN', 'TRYAGAIN'])('-%s is counted by its name', (code) => {
    const kinds = new ErrorKinds();
    kinds.count(Buffer.from(`-${code} x\r\n`), 0);
    expect(new Map(kinds.entries()).get(code)).toBe(1);
  });
});
