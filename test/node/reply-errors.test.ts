/** What nodes of several versions answer, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import {
  isForbidden,
  isUnknownCommand,
  missesAnother,
  passesByItself,
  provesAlive,
  saidByTarget,
  saysBusyKey,
  saysCodeMayWrite,
  turnsAway,
  wantsLogin,
} from '../../src/node/reply-errors.js';

const VERDICTS = {
  turnsAway,
  wantsLogin,
  passesByItself,
  missesAnother,
  isUnknownCommand,
  isForbidden,
  provesAlive,
  saysBusyKey,
  saysCodeMayWrite,
};

describe('an error reply of a node', () => {
  it.each<[string, (keyof typeof VERDICTS)[]]>([
    ['ERR max number of clients reached', ['turnsAway']],
    ['DENIED Redis is running in protected mode because protected mode is enabled', ['turnsAway']],
    ['ERR Can not execute a script with write flag using *_ro command.', ['saysCodeMayWrite']],
    ['NOAUTH Authentication required.', ['wantsLogin']],
    ['WRONGPASS invalid username-password pair or user is disabled.', ['wantsLogin']],
    ['LOADING Redis is loading the dataset in memory', ['passesByItself', 'provesAlive']],
    ['BUSY Redis is busy running a script. You can only call SCRIPT KILL', ['passesByItself', 'provesAlive']],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", ['provesAlive']],
    ["NOPERM this user has no permissions to run the 'info' command", ['isForbidden', 'provesAlive']],
    ["ERR unknown command 'FUNCTION', with args beginning with:", ['isUnknownCommand', 'isForbidden', 'provesAlive']],
    [
      "ERR Unknown subcommand or wrong number of arguments for 'INFO'. Try CLIENT HELP.",
      ['isUnknownCommand', 'isForbidden', 'provesAlive'],
    ],
    ['BUSYKEY Target key name already exists.', ['saysBusyKey']],
    ['ERR Target instance replied with error: BUSYKEY Target key name already exists.', ['saysBusyKey']],
    ['IOERR error or timeout reading from target node', ['missesAnother']],
    ['NOREPLICAS Not enough good replicas to write.', ['missesAnother']],
    ['ERR value is not an integer or out of range', []],
  ])('%s', (error, expected) => {
    const names = Object.keys(VERDICTS) as (keyof typeof VERDICTS)[];
    expect(names.filter((name) => VERDICTS[name](error))).toEqual(expected);
  });

  it('of the target of a MIGRATE is told apart from one of its source', () => {
    const loading = 'LOADING Redis is loading the dataset in memory';
    expect(saidByTarget(`ERR Target instance replied with error: ${loading}`)).toBe(loading);
    expect(saidByTarget(loading)).toBe(loading);
  });
});
