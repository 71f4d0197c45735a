/** Files with tokens of the admin API: what is a token there, and what is a mistake. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AdminTokens, adminTokens } from '../../src/config/admin-tokens.js';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import { tempFolder } from '../support/temp-folder.js';

const FORM =
  'each line is to be a token, or NAME: TOKEN (8 or more visible ASCII characters without blanks), or to begin with #';

function tokensOf(text: string): AdminTokens['admin'] {
  const file = join(tempFolder('admin-tokens'), 'tokens');
  writeFileSync(file, text);
  return adminTokens(loadConfig({ flags: { adminTokenFile: file } })).admin;
}

function mistakesOf(text: string): string[] {
  try {
    tokensOf(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes.map(({ message }) => message);
    throw error;
  }
}

describe('a file with tokens', () => {
  it('has them line by line, with names or without, between comments', () => {
    const text =
      '# tokens of the admins\r\nann: secret-of-ann\r\n\n  # bob: secret-of-bob\n  abcdefgh==  \neve: #1234567\n';
    expect(tokensOf(text)).toEqual([
      { name: 'ann', token: 'secret-of-ann' },
      { name: 'admin-token-file:5', token: 'abcdefgh==' },
      { name: 'eve', token: '#1234567' },
    ]);
  });

  it.each([
    ['bob = secret-of-bob', 'bob = secret-of-bob'],
    ['a key', '-----BEGIN PRIVATE KEY-----'],
    ['too short', 'ann: 1234567'],
    ['blanks', 'ann: secret of ann'],
    ['no token', 'somebody-else:'],
    ['beyond ASCII', 'secret-of-\u00e9ve'],
  ])('names a line that is none by its number: %s', (_, line) => {
    expect(mistakesOf(`# one\nann: secret-of-ann\n${line}\n`)).toEqual([`${FORM}: not so line 3`]);
  });

  it('names several, and not all of many', () => {
    expect(mistakesOf('a\n\nb\nlong-enough\n')).toEqual([`${FORM}: not so lines 1, 3`]);
    expect(mistakesOf('x\n'.repeat(9))).toEqual([`${FORM}: not so lines 1, 2, 3, 4, 5, ...`]);
  });

  it('has one at least', () => {
    expect(mistakesOf('# ann: secret-of-ann\n')).toEqual([`has no token: ${FORM}`]);
  });
});

it('a token that is given directly may be shorter', () => {
  expect(adminTokens(loadConfig({ flags: { adminToken: 't' } })).admin).toEqual([{ name: 'admin-token', token: 't' }]);
});
