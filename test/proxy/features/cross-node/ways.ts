/** Each way of a command over several nodes, as one that a fault may come into. */
import type { RedisProcess } from '../../../support/redis-process.js';

export interface WayCase {
  readonly title: string;
  /** A and C are keys of the first node, B is one of the second. Several commands: the last one's reply counts. */
  readonly command: string;
  readonly before: readonly string[];
  /** What A, B and C may have afterwards: at first what they had, at last what the command makes of them. */
  readonly allowed: readonly string[];
}

export const WAYS: readonly WayCase[] = [
  { title: 'lend', before: ['SADD A 1', 'SADD B 2'], command: 'SUNION A B', allowed: ['1 2 -'] },
  {
    title: 'lend, STORE',
    before: ['SADD A 1', 'SADD C 2', 'SADD B old'],
    command: 'SUNIONSTORE B A C',
    allowed: ['1 old 2', '1 1,2 2'],
  },
  { title: 'lend, COPY', before: ['SET A v', 'SET B old'], command: 'COPY A B REPLACE', allowed: ['v old -', 'v v -'] },
  {
    title: 'rename',
    before: ['SET A v', 'SET B old'],
    command: 'RENAME A B',
    allowed: ['v old -', 'v v -', '- v -'],
  },
  { title: 'rename, NX', before: ['SET A v'], command: 'RENAMENX A B', allowed: ['v - -', 'v v -', '- v -'] },
  {
    title: 'move, of a list',
    before: ['RPUSH A 1 2'],
    command: 'LMOVE A B LEFT RIGHT',
    allowed: ['1,2 - -', '1,2 1 -', '2 1 -'],
  },
  {
    title: 'move, of a set',
    before: ['SADD A 1 2'],
    command: 'SMOVE A B 1',
    allowed: ['1,2 - -', '1,2 1 -', '2 1 -'],
  },
  { title: 'all or none', before: [], command: 'MSETNX A 1 B 2', allowed: ['- - -', '1 - -', '- 2 -', '1 2 -'] },
  // It may have been taken, and the reply was lost.
  { title: 'first of', before: ['RPUSH B 1'], command: 'LMPOP 2 A B LEFT', allowed: ['- 1 -', '- - -'] },
  {
    title: 'code',
    before: ['SET A 1', 'SET B 2'],
    command: "EVAL_RO return{redis.call('GET',KEYS[1]),redis.call('GET',KEYS[2])} 2 A B",
    allowed: ['1 2 -'],
  },
  {
    title: 'patterns, STORE',
    before: ['RPUSH A 1 2', 'SET {B}1 9', 'SET {B}2 3'],
    command: 'SORT A BY {B}* STORE C',
    allowed: ['1,2 - -', '1,2 - 2,1'],
  },
  {
    title: 'a transaction',
    before: [],
    command: 'MULTI|SET A 1|SET B 2|EXEC',
    allowed: ['- - -', '1 - -', '- 2 -', '1 2 -'],
  },
  { title: 'waiting', before: ['RPUSH B 1'], command: 'BLPOP A B 1', allowed: ['- 1 -', '- - -'] },
];

/** What stands for a key's name in a case. */
export type KeyNames = Readonly<Record<string, string>>;

/** Keys of one case. @param a keys of the first node @param b keys of the second one */
export function keysOf(index: number, a: readonly string[], b: readonly string[]): KeyNames {
  const at = (of: readonly string[], i: number): string => of[i] as string;
  return { A: at(a, 2 * index), B: at(b, index), C: at(a, 2 * index + 1) };
}

/** A command of a case, with the keys put in. */
export function wordsOf(line: string, keys: KeyNames): string[] {
  return line.split(' ').map((word) => keys[word] ?? word.replace('{B}', `{${keys.B}}:`));
}

/** What A, B and C have, as the nodes themselves say. */
export async function valuesOf(keys: KeyNames, nodes: readonly RedisProcess[]): Promise<string> {
  const values = [];
  for (const name of ['A', 'B', 'C']) {
    const direct = (nodes[name === 'B' ? 1 : 0] as RedisProcess).client();
    const key = keys[name] as string;
    const type = await direct.type(key);
    if (type === 'list') values.push((await direct.lrange(key, 0, -1)).join());
    else if (type === 'set') values.push((await direct.smembers(key)).sort().join());
    else values.push((await direct.get(key)) ?? '-');
  }
  return values.join(' ');
}
