import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findToken } from '../../cli/token.js';
import { tempFolder } from '../support/temp-folder.js';

function fileOf(text: string): string {
  const file = join(tempFolder('token'), 'token');
  writeFileSync(file, text);
  return file;
}

describe('the token of the admin API', () => {
  it('is found where serve finds it, and first where a command is told', () => {
    const env = { RINGPROXY_ADMIN_TOKEN_FILE: fileOf('from-file\nnext-one\n') };
    expect(findToken({}, {})).toBeUndefined();
    expect(findToken({}, env)).toBe('from-file');
    expect(findToken({}, { ...env, RINGPROXY_ADMIN_TOKEN: 'serves' })).toBe('serves');
    expect(findToken({}, { ...env, RINGPROXY_ADMIN_TOKEN: 'serves', RINGPROXY_TOKEN: 'own' })).toBe('own');
    expect(findToken({ tokenFile: fileOf('\n flag-file ') }, { ...env, RINGPROXY_TOKEN: 'own' })).toBe('flag-file');
    expect(findToken({ tokenFile: fileOf('ann: named\n') }, {})).toBe('named');
    expect(findToken({ token: 'flag', tokenFile: '/nowhere' }, env)).toBe('flag');
  });

  it('is not there where a variable is empty', () => {
    expect(findToken({}, { RINGPROXY_TOKEN: '', RINGPROXY_ADMIN_TOKEN: 'serves' })).toBe('serves');
    expect(findToken({}, { RINGPROXY_ADMIN_TOKEN: '', RINGPROXY_ADMIN_TOKEN_FILE: '' })).toBeUndefined();
  });

  it('is missed where its file has none: a wrong call', () => {
    const wrong = expect.objectContaining({ exitCode: 2 });
    expect(() => findToken({ tokenFile: '/nowhere/token' }, {})).toThrow(wrong);
    expect(() => findToken({}, { RINGPROXY_ADMIN_TOKEN_FILE: fileOf('\n') })).toThrow(wrong);
  });
});
