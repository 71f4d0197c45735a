/** That the checker of interleavings finds what must not be: histories by hand, of keys on two nodes. */
import { describe, expect, it } from 'vitest';
import { isExplained, type Told } from './search.js';
import { type Rule, stepsOf } from './steps.js';

/** Even keys are on one node, odd ones on the other. */
const nodeOf = (key: string): number => Number(key.slice(-1)) % 2;

/** `client: from-to COMMAND … → reply` */
function told(lines: readonly string[]): Told[][] {
  const clients: Told[][] = [];
  for (const line of lines) {
    const [, client = '', begunAt, endedAt, words = '', reply = ''] =
      /^(\d): (\d+)-(\d+) (.*) → (.*)$/.exec(line) ?? [];
    const own = clients[Number(client)] ?? [];
    clients[Number(client)] = own;
    own.push({ words: words.split(' '), reply, begunAt: Number(begunAt), endedAt: Number(endedAt) });
  }
  return clients;
}

function explained(lines: readonly string[], rule: Rule = 'steps'): boolean | null {
  return isExplained(told(lines), (words) => stepsOf(words, nodeOf, rule));
}

describe('what is documented', () => {
  it.each([
    [
      'the value of a RENAME is seen at both',
      ['0: 0-1 SET s:0 v → +OK', '0: 2-9 RENAME s:0 s:1 → +OK', '1: 3-4 GET s:1 → v', '1: 5-6 GET s:0 → v'],
    ],
    [
      'an element of LMOVE is taken at both',
      [
        '0: 0-1 RPUSH l:0 v → :1',
        '0: 2-9 LMOVE l:0 l:1 LEFT RIGHT → nil',
        '1: 3-4 LPOP l:1 → v',
        '1: 5-6 LPOP l:0 → v',
      ],
    ],
    [
      'a part of MSETNX is seen, and undone',
      ['0: 0-20 MSETNX s:0 a s:1 b → :0', '1: 3-4 GET s:0 → a', '1: 5-6 SET s:1 x → +OK', '1: 21-22 GET s:0 → nil'],
    ],
    ['a union is of two moments', ['0: 0-20 SUNION e:0 e:1 → [2]', '1: 3-4 SADD e:0 1 → :1', '1: 5-6 SADD e:1 2 → :1']],
  ])('%s', (_, lines) => {
    expect(explained(lines)).toBe(true);
    expect(explained(lines, 'atomic')).toBe(false);
  });
});

describe('what must not be', () => {
  it.each([
    [
      'two have renamed one key',
      ['0: 0-1 SET s:0 v → +OK', '0: 2-9 RENAME s:0 s:1 → +OK', '1: 3-8 RENAME s:0 s:2 → +OK'],
    ],
    [
      'a key that is renamed is at neither',
      ['0: 0-1 SET s:0 v → +OK', '0: 2-9 RENAME s:0 s:1 → +OK', '1: 3-4 GET s:0 → nil', '1: 5-6 GET s:1 → nil'],
    ],
    [
      'what a failed RENAME has overwritten is gone',
      [
        '0: 0-1 MSET s:0 v s:1 w → +OK',
        '0: 2-9 RENAME s:0 s:1 → -ERR no such key',
        '1: 3-4 DEL s:0 → :1',
        '1: 10-11 GET s:1 → nil',
      ],
    ],
    [
      'an element of LMOVE is lost',
      ['0: 0-1 RPUSH l:0 v → :1', '0: 2-9 LMOVE l:0 l:1 LEFT RIGHT → v', '0: 10-11 LRANGE l:1 0 -1 → []'],
    ],
    [
      'an element is doubled without anybody who takes',
      ['0: 0-1 RPUSH l:0 v → :1', '0: 2-9 LMOVE l:0 l:1 LEFT RIGHT → v', '0: 10-11 LRANGE l:0 0 -1 → [v]'],
    ],
    [
      'a member is moved twice',
      ['0: 0-1 SADD e:0 1 → :1', '0: 2-9 SMOVE e:0 e:1 1 → :1', '1: 3-8 SMOVE e:0 e:3 1 → :1'],
    ],
    ['a part of MSETNX stays', ['0: 0-20 MSETNX s:0 a s:1 b → :0', '1: 5-6 SET s:1 x → +OK', '1: 21-22 GET s:0 → a']],
    [
      'what a store writes is seen in part',
      ['0: 0-1 SADD e:0 1 2 → :2', '0: 2-9 SUNIONSTORE e:1 e:0 → :2', '1: 3-4 SMEMBERS e:1 → [1]'],
    ],
    [
      'commands of one node are in steps',
      ['0: 0-1 SET s:0 v → +OK', '0: 2-9 RENAME s:0 s:2 → +OK', '1: 3-4 GET s:2 → v', '1: 5-6 GET s:0 → v'],
    ],
    ['somebody reads what was before another one was answered', ['0: 0-1 SET s:0 v → +OK', '1: 2-3 GET s:0 → nil']],
  ])('%s', (_, lines) => {
    expect(explained(lines)).toBe(false);
  });
});
