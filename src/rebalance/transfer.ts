/**
 * Moves keys from one node to another without stopping either of them:
 *
 *   source   take    the values and times to live of a batch, in one script, so that none changes in between
 *   target   RESTORE … REPLACE
 *   source   UNLINK  once the target has them
 *
 * MIGRATE does the same in one command, but stops its source until the target has answered: on a busy machine
 * that is as long as the target waits for a processor. It is used where it is better: for large values, which
 * then need not go through this process, and where a node does not allow scripts.
 *
 * In between a key is on both nodes. That is sound because nobody writes it: after the fence nobody writes a
 * moved key at its source, and whoever needs it at the target waits until the batch is over.
 */
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';

/** A value above so many bytes is moved alone, by MIGRATE. */
export const LARGE_BYTES = 1_048_576;
/** One batch holds about so many bytes. */
const BATCH_BYTES = 1_048_576;
/** How long a source waits for its target, in milliseconds. */
const MIGRATE_TIMEOUT_MS = 5000;
/** A large value takes its time: 512 MB at 20 MB/s. */
const LARGE_TIMEOUT_MS = 30_000;

/** For each key: false (it is not there), its size (too large for a batch), -1 (the batch is full) or value and TTL. */
const TAKE = `
local most, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = {}
for i, key in ipairs(KEYS) do
  local size = redis.call('MEMORY', 'USAGE', key)
  if not size then found[i] = false
  elseif size > most then found[i] = size
  elseif room <= 0 then found[i] = -1
  else
    room = room - size
    found[i] = { redis.call('DUMP', key), redis.call('PTTL', key) }
  end
end
return found`;

/** A node answered with an error. */
export class TransferRefused extends Error {}

/** Where the source finds the target, and how it logs in there. */
export interface PeerAddress {
  readonly host: string;
  readonly port: string;
  readonly username: string;
  readonly password: string;
}

export interface LargeKey {
  readonly key: Buffer;
  /** As MEMORY USAGE tells. */
  readonly bytes: number;
}

export interface Transferred {
  /** Keys that are on the target now. */
  readonly moved: number;
  /** Of their serialized values. */
  readonly bytes: number;
  /** To be moved alone. */
  readonly large: readonly LargeKey[];
  /** The batch was full: to be asked for again. */
  readonly rest: readonly Buffer[];
}

/**
 * Moves a batch; keys that are not there are no failure.
 * @returns null when the source does not allow scripts
 * @throws TransferRefused when a node answers with an error, LinkFailure when one does not answer
 */
export async function transferBatch(
  source: NodeLink,
  target: NodeLink,
  database: number,
  keys: readonly Buffer[],
): Promise<Transferred | null> {
  const limits = [String(LARGE_BYTES), String(BATCH_BYTES)];
  const [found] = await source.exchange(
    [request(['EVAL', TAKE, String(keys.length), ...keys, ...limits])],
    1,
    database,
  );
  if (found instanceof ReplyError && forbidsScripts(found)) return null;
  if (!Array.isArray(found))
    throw refusal(source, found ?? null, 'the script that reads keys (with MEMORY USAGE, DUMP and PTTL)');
  const restores: Buffer[] = [];
  const taken: Buffer[] = [];
  const large: LargeKey[] = [];
  const rest: Buffer[] = [];
  let bytes = 0;
  for (const [i, key] of keys.entries()) {
    const entry = found[i];
    if (typeof entry === 'number') {
      if (entry < 0) rest.push(key);
      else large.push({ key, bytes: entry });
    } else if (Array.isArray(entry)) {
      const [value, ttl] = entry;
      if (!Buffer.isBuffer(value)) continue;
      // 0 means for ever: a key that is about to expire has 1 ms left.
      const left = typeof ttl !== 'number' || ttl === -1 ? 0 : Math.max(1, ttl);
      restores.push(request(['RESTORE', key, String(left), value, 'REPLACE']));
      taken.push(key);
      bytes += value.length;
    }
  }
  if (taken.length > 0) {
    const restored = await target.exchange(restores, restores.length, database);
    const failed = restored.find((reply) => reply instanceof ReplyError);
    if (failed !== undefined) throw refusal(target, failed, 'RESTORE');
    const [unlinked] = await source.exchange([request(['UNLINK', ...taken])], 1, database);
    if (typeof unlinked !== 'number') throw refusal(source, unlinked ?? null, 'UNLINK');
  }
  return { moved: taken.length, bytes, large, rest };
}

/**
 * Moves keys by the source's own MIGRATE.
 * @returns whether any of them was there
 * @throws TransferRefused when a node answers with an error, LinkFailure when the source does not answer
 */
export async function migrateKeys(
  source: NodeLink,
  peer: PeerAddress,
  database: number,
  keys: readonly Buffer[],
): Promise<boolean> {
  const login =
    peer.password === ''
      ? []
      : peer.username === ''
        ? ['AUTH', peer.password]
        : ['AUTH2', peer.username, peer.password];
  const words = ['MIGRATE', peer.host, peer.port, '', String(database), String(MIGRATE_TIMEOUT_MS), 'REPLACE'];
  const frame = request([...words, ...login, 'KEYS', ...keys]);
  const [reply] = await source.exchange([frame], 1, database, LARGE_TIMEOUT_MS);
  if (reply === 'OK') return true;
  if (reply === 'NOKEY') return false;
  throw refusal(source, reply ?? null, 'MIGRATE');
}

function forbidsScripts(error: ReplyError): boolean {
  return /^NOPERM|unknown command/i.test(error.message);
}

function refusal(link: NodeLink, reply: ReplyValue, what: string): TransferRefused {
  const text = reply instanceof ReplyError ? reply.message : `unexpected reply to ${what}`;
  return new TransferRefused(`node ${link.node.name} (${link.node.address}) refused ${what}: ${text}`);
}
