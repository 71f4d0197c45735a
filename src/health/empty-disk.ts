/**
 * A node that was emptied must not have what it held again when it is restarted: Redis reads its append-only file then,
 * where it has that on, and otherwise its snapshot, which FLUSHDB and UNLINK leave as it was, and FLUSHALL as well where
 * no `save` is set.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RingproxyError } from '../errors.js';
import { isReplyError } from '../node/client.js';
import type { NodeIdentity } from '../node/identity.js';
import { isForbidden, saysSaving } from '../node/reply-errors.js';
import { fieldsOf } from '../resp/info-fields.js';

/** Databases of somebody else take their time to be written. Milliseconds. */
const SNAPSHOT_MS = 120_000;
const LOOK_MS = 100;
/** A little more than a second. */
const SECOND_MS = 1100;
/** The clocks of INFO count whole seconds, and a server takes a moment to start. Seconds. */
const START_SECONDS = 2;

type Outcome = 'written' | { readonly why: string };

/**
 * Has a node that is empty write that down, where it can, and otherwise finds out whether it needs to.
 * @param isShared it has keys of somebody else, so nothing may stop it for as long as they take to be written
 * @param flush sends FLUSHALL once more, with which a node that has `save` set writes a snapshot; null: that may not be
 * @throws RingproxyError when a restart could bring back what it had
 */
export async function emptyDisk(
  redis: Redis,
  node: NodeIdentity,
  isShared: boolean,
  flush: (() => Promise<unknown>) | null,
): Promise<void> {
  // An append-only file has what has emptied it. It may be one that the next start knows nothing of, so the cheap way is taken.
  if (isShared && keepsLog(await redis.info())) return;
  const outcome = await writeSnapshot(redis, isShared);
  if (outcome === 'written') return;
  const info = await redis.info();
  if (keepsLog(info) || hasNothing(info)) return;
  if (flush !== null && (await writes(redis, flush))) return;
  throw new RingproxyError(
    'NODE_SNAPSHOT',
    `${node.name} (${node.address}) was emptied, and could have again what it held when it is restarted, from the snapshot on its disk: ${outcome.why}`,
  );
}

/** Whether FLUSHALL has written a snapshot. */
async function writes(redis: Redis, flush: () => Promise<unknown>): Promise<boolean> {
  const before = savedAt(await redis.info());
  // One that was written within the same second could not be told from it.
  await pause(SECOND_MS);
  await flush();
  return savedAt(await redis.info()) > before;
}

function savedAt(info: string): number {
  return Number(fieldsOf(info)('rdb_last_save_time'));
}

function keepsLog(info: string): boolean {
  const field = fieldsOf(info);
  return field('aof_enabled') === '1' && field('aof_last_write_status') === 'ok';
}

/** It has read nothing when it was started, and has written nothing since: it has no snapshot, or an empty one. */
function hasNothing(info: string): boolean {
  const field = fieldsOf(info);
  if (field('rdb_last_load_keys_loaded') !== '0' || field('rdb_saves') !== '0') return false;
  // A snapshot that came from a master is not counted.
  if (/[1-9a-f]/.test(field('master_replid2'))) return false;
  const startedAt = Math.floor(Number(field('server_time_usec')) / 1e6) - Number(field('uptime_in_seconds'));
  return savedAt(info) <= startedAt + START_SECONDS;
}

async function writeSnapshot(redis: Redis, isShared: boolean): Promise<Outcome> {
  const until = performance.now() + SNAPSHOT_MS;
  let why = '';
  // SAVE stops the node, for no time where there is nothing to write. BGSAVE needs the memory for another process.
  for (const command of isShared ? (['bgsave'] as const) : (['save', 'bgsave'] as const)) {
    const refusal = await refusalOf(redis, command, until);
    if (refusal === null) return command === 'save' ? 'written' : ended(redis, until);
    why = isForbidden(refusal) ? `its user may not use ${isShared ? 'BGSAVE' : 'SAVE or BGSAVE'}` : refusal;
  }
  return { why };
}

/** @returns what the node says against it; null: nothing */
async function refusalOf(redis: Redis, command: 'save' | 'bgsave', until: number): Promise<string | null> {
  for (;;) {
    try {
      await redis[command]();
      return null;
    } catch (error) {
      if (!isReplyError(error)) throw error;
      if (!saysSaving(error.message) || performance.now() > until) return error.message;
      await pause(LOOK_MS);
    }
  }
}

/** Waits for a BGSAVE that has begun. Whichever ends later was begun later, and has written what is there now, too. */
async function ended(redis: Redis, until: number): Promise<Outcome> {
  for (;;) {
    const field = fieldsOf(await redis.info());
    if (field('rdb_bgsave_in_progress') === '0') {
      return field('rdb_last_bgsave_status') === 'ok'
        ? 'written'
        : { why: 'BGSAVE has failed there; its log says why' };
    }
    if (performance.now() > until) return { why: `BGSAVE takes longer than ${SNAPSHOT_MS / 1000} s` };
    await pause(LOOK_MS);
  }
}
