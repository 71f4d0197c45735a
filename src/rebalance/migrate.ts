/**
 * Moves keys by the source's own MIGRATE, which stops the source until the target has answered: on a busy machine that
 * is as long as the target waits for a processor. It is used where it is better than `transfer.ts`: for large values,
 * which then need not go through this process, and where a node does not let values be read.
 */
import { parsePeerAddress } from '../node/address.js';
import type { Login } from '../node/endpoint.js';
import { isForbidden, missesAnother, saysBusyKey, saysNotConnected } from '../node/reply-errors.js';
import { ReplyError } from '../resp/decode.js';
import { request } from '../resp/encode.js';
import { LARGE_TIMEOUT_MS, type Moved } from './copy.js';
import type { MoverNode } from './moving-nodes.js';
import type { NodeLink } from './node-link.js';
import { expiriesOf, expiryAt } from './times.js';
import { unlinkCopied } from './transfer.js';
import { TransferRefused } from './transfer-refused.js';
import type { HalfMoved, Moves } from './trust.js';
import { unlinkKeys } from './unlink.js';

/** How long a source waits for its target, in milliseconds. */
const MIGRATE_TIMEOUT_MS = 5000;

/** Where the source finds the target, and how it logs in there. */
export interface Peer extends Login {
  readonly host: string;
  readonly port: number;
  /** It speaks TLS, and so does the source. */
  readonly tls: boolean;
}

/** @returns null when no other node can connect to it */
function peerOf({ peerAddress, peerTls, username, password }: MoverNode): Peer | null {
  const address = parsePeerAddress(peerAddress);
  return address === null ? null : { ...address, username, password, tls: peerTls === true };
}

/**
 * Where the source can connect to the target by itself. A node speaks TLS with all others or with none (`tls-cluster`),
 * whatever it speaks with its clients; one that does not tell is taken for one that does not.
 * @returns null when it cannot
 * @throws NodeFailure
 */
export async function peerFrom(source: NodeLink, target: MoverNode, database: number): Promise<Peer | null> {
  const peer = peerOf(target);
  if (peer === null) return null;
  let speaksTls = speakTls.get(source);
  if (speaksTls === undefined) {
    speaksTls = asksTls(source, database);
    speakTls.set(source, speaksTls);
  }
  return (await speaksTls) === (target.peerTls === true) ? peer : null;
}

/** Of sources, asked once on each link. */
const speakTls = new WeakMap<NodeLink, Promise<boolean>>();

async function asksTls(source: NodeLink, database: number): Promise<boolean> {
  const [reply] = await source.exchange([request(['CONFIG', 'GET', 'tls-cluster'])], 1, database);
  return Array.isArray(reply) && String(reply[1]) === 'yes';
}

/**
 * @param verdict which copies count; with another one than `move`, one key at a time
 * @param canGoElse whether the keys could go another way
 * @param half is told of the keys when it throws, and they may have gone or not
 * @returns null when the source does not allow it, or cannot connect to the target and they can go another way
 * @throws TransferRefused when a node answers with an error, NodeFailure when one does not answer
 */
export async function migrateKeys(
  source: NodeLink,
  target: NodeLink,
  peer: Peer,
  database: number,
  keys: readonly Buffer[],
  verdict: Moves,
  canGoElse: boolean,
  half: HalfMoved,
): Promise<Moved | null> {
  const expiries = await expiriesOf(source, database, keys);
  const words = ['MIGRATE', peer.host, String(peer.port), '', String(database), String(MIGRATE_TIMEOUT_MS)];
  const replaces = verdict === 'offer' ? [] : ['REPLACE'];
  const frame = request([...words, ...replaces, ...loginOf(peer), 'KEYS', ...keys]);
  const [reply] = await source.exchange([frame], 1, database, LARGE_TIMEOUT_MS).catch((error: unknown) => {
    half.onSent(keys);
    throw error;
  });
  if (reply === 'NOKEY') {
    return { moved: false, dropped: verdict === 'move, clear' ? await unlinkKeys(target, database, keys) : 0 };
  }
  if (reply instanceof ReplyError && saysBusyKey(reply.message)) {
    // What the target has counts.
    await unlinkCopied(source, database, keys, half);
    return { moved: true, dropped: 0 };
  }
  if (reply instanceof ReplyError && isForbidden(reply.message)) return null;
  if (canGoElse && reply instanceof ReplyError && saysNotConnected(reply.message)) return null;
  if (reply !== 'OK') {
    // Of several keys some may have gone before it failed.
    half.onSent(keys);
    // By TLS 1.3 a certificate is refused when the source takes itself for connected: it may have sent something.
    const isCut = peer.tls && reply instanceof ReplyError && missesAnother(reply.message);
    const hint = `${peer.host}:${peer.port} may not take the certificate that it shows, see its tls-client-cert-file`;
    throw TransferRefused.by(source, reply ?? null, 'MIGRATE', isCut ? hint : '');
  }
  await setExpiries(source, target, database, keys, expiries).catch((error: unknown) => {
    half.onCopied(keys);
    throw error;
  });
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

function loginOf(peer: Peer): string[] {
  if (peer.password === '') return [];
  return peer.username === '' ? ['AUTH', peer.password] : ['AUTH2', peer.username, peer.password];
}
