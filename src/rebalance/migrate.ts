/**
 * Moves keys by the source's own MIGRATE, which stops the source until the target has answered: on a busy machine that
 * is as long as the target waits for a processor. It is used where it is better than `transfer.ts`: for large values,
 * which then need not go through this process, and where a node does not allow scripts.
 */
import { saysBusyKey } from '../node/reply-errors.js';
import { ReplyError, type ReplyValue } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import type { NodeLink } from './node-link.js';
import { expiryAt } from './times.js';
import { TransferRefused } from './transfer-refused.js';
import type { Moves } from './trust.js';
import { unlinkKeys } from './unlink.js';

/** How long a source waits for its target, in milliseconds. */
const MIGRATE_TIMEOUT_MS = 5000;
/** A large value takes its time: 512 MB at 20 MB/s. */
const LARGE_TIMEOUT_MS = 30_000;

/** Where the source finds the target, and how it logs in there. */
export interface PeerAddress {
  readonly host: string;
  readonly port: string;
  readonly username: string;
  readonly password: string;
}

export interface Migrated {
  /** Whether any of the keys was there, and is on the target now. */
  readonly moved: boolean;
  /** Copies of the target that were from the past, and are gone. */
  readonly dropped: number;
}

/**
 * @param verdict which copies count; with another one than `move`, one key at a time
 * @throws TransferRefused when a node answers with an error, NodeFailure when one does not answer
 */
export async function migrateKeys(
  source: NodeLink,
  target: NodeLink,
  peer: PeerAddress,
  database: number,
  keys: readonly Buffer[],
  verdict: Moves,
): Promise<Migrated> {
  const expiries = await expiriesOf(source, database, keys);
  const words = ['MIGRATE', peer.host, peer.port, '', String(database), String(MIGRATE_TIMEOUT_MS)];
  const replaces = verdict === 'offer' ? [] : ['REPLACE'];
  const frame = request([...words, ...replaces, ...loginOf(peer), 'KEYS', ...keys]);
  const [reply] = await source.exchange([frame], 1, database, LARGE_TIMEOUT_MS);
  if (reply === 'NOKEY') {
    return { moved: false, dropped: verdict === 'move, clear' ? await unlinkKeys(target, database, keys) : 0 };
  }
  if (reply instanceof ReplyError && saysBusyKey(reply.message)) {
    // What the target has counts.
    await unlinkKeys(source, database, keys);
    return { moved: true, dropped: 0 };
  }
  if (reply !== 'OK') throw TransferRefused.by(source, reply ?? null, 'MIGRATE');
  await setExpiries(source, target, database, keys, expiries);
  return { moved: true, dropped: 0 };
}

/** MIGRATE hands on the time that is left, which lasts longer by the time that the move takes. */
async function setExpiries(
  source: NodeLink,
  target: NodeLink,
  database: number,
  keys: readonly Buffer[],
  expiries: readonly number[],
): Promise<void> {
  const frames = keys.flatMap((key, i) => {
    const at = expiryAt(source, target, expiries[i] ?? -1);
    return at === 0 ? [] : [request(['PEXPIREAT', key, String(at)])];
  });
  if (frames.length === 0) return;
  const replies = await target.exchange(frames, frames.length, database);
  const failed = replies.find((reply) => typeof reply !== 'number');
  if (failed !== undefined) throw TransferRefused.by(target, failed, 'PEXPIREAT');
}

/** @returns for each key when it expires, in milliseconds since 1970; -1: never, or it is not there */
async function expiriesOf(source: NodeLink, database: number, keys: readonly Buffer[]): Promise<number[]> {
  const replies = await ask(source, database, 'PEXPIRETIME', keys);
  if (!replies.some((reply) => reply instanceof ReplyError)) return replies.map(toExpiry);
  // Before Redis 7, or where the user lacks the right to it.
  const left = await ask(source, database, 'PTTL', keys);
  const now = Date.now() + source.clockOffset;
  return left.map((reply) => (typeof reply === 'number' && reply >= 0 ? Math.round(now + reply) : -1));
}

function toExpiry(reply: ReplyValue): number {
  return typeof reply === 'number' && reply >= 0 ? reply : -1;
}

function ask(link: NodeLink, database: number, word: string, keys: readonly Buffer[]): Promise<ReplyValue[]> {
  const frames = keys.map((key) => request([word, key]));
  return link.exchange(frames, frames.length, database);
}

function loginOf(peer: PeerAddress): string[] {
  if (peer.password === '') return [];
  return peer.username === '' ? ['AUTH', peer.password] : ['AUTH2', peer.username, peer.password];
}
