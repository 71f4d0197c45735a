/** A misspelt name in `deny-commands` denied nothing, and nobody was told. */
import { expect, it } from 'vitest';
import { commandWarnings } from '../../src/config/command-warnings.js';
import { loadConfig } from '../../src/config/load.js';

function said(deny: readonly string[], rename: Readonly<Record<string, string>> = {}): string[] {
  return commandWarnings(loadConfig({ settings: { 'deny-commands': deny, 'rename-commands': rename } }));
}

it('names that are no command are told of, with the one that was meant', () => {
  expect(said(['FLUSHAL', 'CONFIG|SETT', 'get|x'], { APEND: 'secret-1' })).toEqual([
    'deny-commands: FLUSHAL is no command that this version knows: did you mean FLUSHALL?',
    'deny-commands: CONFIG|SETT is no command that this version knows: did you mean CONFIG|SET?',
    'deny-commands: GET|X is no command that this version knows',
    'rename-commands: APEND is no command that this version knows: did you mean APPEND?',
  ]);
  expect(said(['flushall', 'Config|Set', 'CONFIG', 'ft.search', 'module.x|y'], { SET: 'secret-1' })).toEqual([]);
});

it('so are other names that lead nowhere, without telling them', () => {
  const none = 'deny-commands has the other name of SET, and takes own names alone: nothing is denied by it';
  expect(said(['secret-1'], { SET: 'secret-1' })).toEqual([none]);
  expect(said(['SET'], { SET: 'secret-1' })).toEqual([
    'rename-commands: SET is in deny-commands, too: nobody reaches it, under its other name neither',
  ]);
  expect(said([], { SET: 'get' })).toEqual([
    'rename-commands: the other name of SET is a command of its own, and stays that one: nobody reaches SET',
  ]);
  expect(said(['GETDEL'], { SET: 'get', GET: 'set', APPEND: 'getdel' })).toEqual([]);
});
