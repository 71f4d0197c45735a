/** What is compared of two servers: replies, and what their keys have. */
import { decodeReply, type ReplyValue } from '../../src/resp/decode.js';
import type { RawClient } from '../support/raw-client.js';
import { KEYS } from './commands-of-keys.js';

/** @param isUnordered it is a set: its elements, in an order of their own @returns the reply, to be compared */
export function shown(reply: Buffer, isUnordered: boolean): string {
  if (!isUnordered || !['*', '~'].includes(reply.toString('latin1', 0, 1))) return reply.toString('latin1');
  const value = decodeReply(reply)?.value;
  return JSON.stringify(Array.isArray(value) ? value.map(textOf).sort() : null);
}

function textOf(value: ReplyValue): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value);
}

/** What each key has, and how long it is to live, in units of 10 s. */
export async function contents(client: RawClient): Promise<string[]> {
  const found: string[] = [];
  for (const key of KEYS) {
    const type = (await client.text('TYPE', key)).slice(1).trim();
    const ttl = Math.round(Number((await client.text('TTL', key)).slice(1)) / 10);
    const read = READS[type];
    found.push(`${key} ${type} ${ttl} ${read === undefined ? '' : shown(await client.command(...read(key)), true)}`);
  }
  return found;
}

const READS: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ['GETRANGE', key, '0', '-1'],
  list: (key) => ['EVAL_RO', "return table.concat(redis.call('LRANGE', KEYS[1], 0, -1), ',')", '1', key],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['EVAL_RO', "return table.concat(redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), ',')", '1', key],
  hash: (key) => ['HGETALL', key],
  stream: (key) => ['XRANGE', key, '-', '+'],
};
