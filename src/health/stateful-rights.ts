/**
 * Asks a node for rights whose commands change the state of the connection, or would change the node: on a connection of
 * its own, and within a transaction that is given up. Redis looks at a user's rights as a command is queued.
 */
import type { Redis } from 'ioredis';
import { isReplyError } from '../node/client.js';
import { refusalIn } from '../node/reply-errors.js';
import { NODE_RIGHTS, PROBE_KEY } from '../node-rights.js';
import { type LackingRight, refusalOf } from './examine.js';

type Ask = (redis: Redis) => Promise<string | null>;

const sent =
  (...words: readonly string[]): Ask =>
  (redis) =>
    refusalOf(redis, words);

/** What Redis puts in front of the reason where it refuses EXEC. */
const ABORTED = /^EXECABORT Transaction discarded because of: /;

/** What stays away from a connection that listens comes first. */
const BARE: readonly (readonly [string, Ask])[] = [
  ['exec', async (redis) => (await sent('EXEC')(redis))?.replace(ABORTED, '') ?? null],
  ['unsubscribe', (redis) => errorOf(redis.unsubscribe(PROBE_KEY))],
  ['punsubscribe', (redis) => errorOf(redis.punsubscribe(PROBE_KEY))],
  ['sunsubscribe', (redis) => errorOf(redis.sunsubscribe(PROBE_KEY))],
];
const QUEUED: readonly (readonly [string, Ask])[] = [
  ['setnx', sent('SETNX', PROBE_KEY, '')],
  ['sadd', sent('SADD', PROBE_KEY, '')],
  ['rpush', sent('RPUSH', PROBE_KEY, '')],
];
const LISTENING: readonly (readonly [string, Ask])[] = [
  ['subscribe', (redis) => errorOf(redis.subscribe(PROBE_KEY))],
  ['psubscribe', (redis) => errorOf(redis.psubscribe(PROBE_KEY))],
  ['ssubscribe', (redis) => errorOf(redis.ssubscribe(PROBE_KEY))],
];

/**
 * @param redis a connection that is used for nothing else, and ended afterwards
 * @throws when the node does not answer
 */
export async function lackingOfState(redis: Redis): Promise<LackingRight[]> {
  const errors = new Map<string, string | null>();
  const askEach = async (rows: readonly (readonly [string, Ask])[]): Promise<void> => {
    // In one go, and in their order: to a node far away each would take its time.
    await Promise.all(rows.map(async ([command, ask]) => errors.set(command, await ask(redis))));
  };
  await askEach(BARE);
  const refused = await refusalOf(redis, ['MULTI']);
  errors.set('multi', refused);
  // Without a transaction they would write.
  if (refused === null) await askEach(QUEUED);
  const isOver = refused !== null || (await refusalOf(redis, ['DISCARD'])) === null;
  // A transaction that the user may not give up would take these as well; it ends with the connection.
  if (isOver) await askEach(LISTENING);
  return NODE_RIGHTS.flatMap((row) => {
    const why = refusalIn(errors.get(row.command) ?? '');
    return why === null ? [] : [{ ...row, why }];
  });
}

/** @returns the node's error, or null. @throws when it does not answer */
async function errorOf(reply: Promise<unknown>): Promise<string | null> {
  try {
    await reply;
    return null;
  } catch (error) {
    if (isReplyError(error)) return error.message;
    throw error;
  }
}
