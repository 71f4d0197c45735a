/** `users` and `users-file`: what may stand there, and what is wrong in which words. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import { tempFolder } from '../support/temp-folder.js';

const DIGEST = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

function mistakesOf(settings: object): string[] {
  try {
    loadConfig({ settings });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map(({ where, message }) => `${where}: ${message}`);
  }
}

it('keeps digests of passwords, and selectors in one piece', () => {
  const users = { a: 'on >test ~a:* (%R~b:* +get) +@read', b: ['on', '>a b', '~*'], c: '' };
  const config = loadConfig({ settings: { users } });
  expect(config.users[0]).toEqual({ name: 'a', rules: ['on', `#${DIGEST}`, '~a:*', '(%R~b:* +get)', '+@read'] });
  expect(JSON.stringify(config.users)).not.toMatch(/test|a b/);
  expect(config.users[2]).toEqual({ name: 'c', rules: [] });
});

it('reads a file in the form of aclfile, and the same lines from the environment', () => {
  const file = join(tempFolder('users-file'), 'users.acl');
  const text = '# who\n\nuser a on >test ~*\r\nuser default off\n';
  writeFileSync(file, text);
  const { usersFile } = loadConfig({ settings: { 'users-file': file } });
  expect(usersFile).toEqual([
    { name: 'a', rules: ['on', `#${DIGEST}`, '~*'] },
    { name: 'default', rules: ['off'] },
  ]);
  expect(loadConfig({ env: { RINGPROXY_USERS: text } }).users).toEqual(usersFile);
});

it('names every rule that is wrong, and shows no password', () => {
  const users = {
    a: 'on +nosuch -@nosuch ~* ~b',
    b: '#secret-digest',
    c: '(~a +get',
    d: ['<secret'],
    'a b': 'on',
  };
  const said = mistakesOf({ users });
  expect(said.map((line) => line.slice(0, 70))).toEqual([
    'users.a: user a, rule +nosuch: Unknown command or category name in ACL',
    'users.a: user a, rule -@nosuch: Unknown command or category name in AC',
    'users.a: user a, rule ~b: Adding a pattern after the * pattern (or the',
    'users.b: user b, rule #…: The password hash must be exactly 64 charact',
    'users.c: a parenthesis is not closed',
    'users.d: user d, rule !…: The password you are trying to remove from t',
    'users.a b: a name has no blanks and no control characters',
  ]);
  expect(said.join('\n')).not.toContain('secret');
});

it('refuses a user twice, and a password beside the rules of default', () => {
  const file = join(tempFolder('users-file'), 'users.acl');
  writeFileSync(file, 'user a on\nuser a off\nnonsense\n');
  expect(mistakesOf({ 'users-file': file })).toEqual([
    `users-file: ${file}, line 2: user a stands there twice`,
    `users-file: ${file}, line 3: expected \`user NAME RULE…\``,
  ]);
  writeFileSync(file, 'user a on\n');
  expect(mistakesOf({ 'users-file': file, users: { a: 'on', default: 'on nopass' }, password: 'x' })).toEqual([
    'users-file: user a stands in users, too',
    'password: is that of user default, which has its own: leave one of them out',
  ]);
});

it('takes commands of modules that no node has told of yet', () => {
  expect(mistakesOf({ users: { a: '+json.get -ft.search' } })).toEqual([]);
});
