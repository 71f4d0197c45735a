/**
 * Reads a batch of keys at its source: by one script, or, where the node forbids scripts, by plain commands in one
 * pipeline. Either way a value and its time of expiry belong together, although other commands may run in between:
 *
 * - nobody writes a moved key at its source, so neither the value nor the time of expiry changes;
 * - a key may expire, or be evicted, between any two commands. So the time is asked for in front of the value: a key that
 *   goes in between has no value then, and counts as missing. The other way round it would have a value and no time, and
 *   would come back for good.
 */
import { isForbidden, saysScriptMayNot } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { request, requests } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';
import { sizesOf } from './sizes.js';
import { expiriesOf, NOT_THERE } from './times.js';
import { TransferRefused } from './transfer-refused.js';

/** A value above so many bytes is moved alone. */
export const LARGE_BYTES = 1_048_576;
/** One batch holds about so many bytes. */
const BATCH_BYTES = 1_048_576;

/**
 * For each key: false (it is not there), its size (too large for a batch), -1 (the batch is full), or its value and
 * when it expires (milliseconds since 1970, -1: never). Before Redis 7 there is no PEXPIRETIME.
 */
const TAKE = `
local function expiry(key)
  local at = redis.pcall('PEXPIRETIME', key)
  if type(at) == 'number' then return at end
  local left = redis.call('PTTL', key)
  if left < 0 then return left end
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000) + left
end
local most, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local found = {}
for i, key in ipairs(KEYS) do
  local size = redis.call('MEMORY', 'USAGE', key)
  if not size then found[i] = false
  elseif size > most then found[i] = size
  elseif room <= 0 then found[i] = -1
  else
    room = room - size
    found[i] = { redis.call('DUMP', key), expiry(key) }
  end
end
return found`;

export interface LargeKey {
  readonly key: Buffer;
  /** Of memory, nearly. */
  readonly bytes: number;
}

export interface Taken {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Milliseconds since 1970 by the source's clock; -1: never. */
  readonly expiry: number;
}

export interface Batch {
  readonly taken: Taken[];
  /** The source does not have them. */
  readonly missing: Buffer[];
  /** To be moved alone. */
  readonly large: LargeKey[];
  /** The batch was full: to be asked for again. */
  readonly rest: Buffer[];
}

/**
 * @returns null when the node does not allow it
 * @throws TransferRefused when it answers with another error, NodeFailure when it does not answer
 */
export type Take = (source: NodeLink, database: number, keys: readonly Buffer[]) => Promise<Batch | null>;

/** In one script, which needs MEMORY USAGE, DUMP and PEXPIRETIME (or PTTL and TIME) as well. */
export const takeByScript: Take = async (source, database, keys) => {
  const limits = [String(LARGE_BYTES), String(BATCH_BYTES)];
  const [found = null] = await source.exchange(
    [request(['EVAL', TAKE, String(keys.length), ...keys, ...limits])],
    1,
    database,
  );
  if (found instanceof ReplyError && (isForbidden(found.message) || saysScriptMayNot(found.message))) return null;
  if (!Array.isArray(found)) {
    throw TransferRefused.by(source, found, 'the script that reads keys (with MEMORY USAGE, DUMP and PEXPIRETIME)');
  }
  const batch = emptyBatch();
  for (const [i, key] of keys.entries()) {
    const entry = found[i];
    if (typeof entry === 'number') {
      if (entry < 0) batch.rest.push(key);
      else batch.large.push({ key, bytes: entry });
      continue;
    }
    const [value = null, expiry] = Array.isArray(entry) ? entry : [];
    sortIn(batch, key, value, typeof expiry === 'number' ? expiry : -1);
  }
  return batch;
};

/** By plain commands: sizes in one pipeline, times of expiry and values in another one. */
export const takePlainly: Take = async (source, database, keys) => {
  const batch = emptyBatch();
  const small: Buffer[] = [];
  let room = BATCH_BYTES;
  for (const [i, bytes] of (await sizesOf(source, database, keys)).entries()) {
    const key = keys[i] as Buffer;
    if (bytes === null) batch.missing.push(key);
    else if (bytes > LARGE_BYTES) batch.large.push({ key, bytes });
    else if (room <= 0) batch.rest.push(key);
    else {
      room -= bytes;
      small.push(key);
    }
  }
  if (small.length === 0) return batch;
  const expiries = await expiriesOf(source, database, small);
  const values = await source.exchange([requests(small.map((key) => ['DUMP', key]))], small.length, database);
  for (const [i, key] of small.entries()) {
    const value = values[i] ?? null;
    if (value instanceof ReplyError) {
      if (isForbidden(value.message)) return null;
      throw TransferRefused.by(source, value, 'DUMP');
    }
    const expiry = expiries[i] ?? -1;
    sortIn(batch, key, expiry === NOT_THERE ? null : value, expiry);
  }
  return batch;
};

function emptyBatch(): Batch {
  return { taken: [], missing: [], large: [], rest: [] };
}

function sortIn(batch: Batch, key: Buffer, value: ReplyValue, expiry: number): void {
  if (Buffer.isBuffer(value)) batch.taken.push({ key, value, expiry });
  else batch.missing.push(key);
}
