/** A large value on its way in pieces: between which nodes, and how they are asked. */
import { createHash } from 'node:crypto';
import { isForbidden } from '../../node/reply-errors.js';
import { RESERVED_PREFIX } from '../../proxy/route/reserved.js';
import { ReplyError, type ReplyValue } from '../../resp/decode.js';
import { requests, type Words } from '../../resp/encode.js';
import type { NodeLink } from '../node-link.js';
import { TransferRefused } from '../transfer-refused.js';

/** Somebody wants moves to hold still: what was copied is given up, and the key is where it was. */
export class MoveGivenUp extends Error {}

/** The value cannot go in pieces: its type is a module's, or a node forbids a command that this needs. */
export class NotInPieces extends Error {}

/** How long an unfinished copy stays when nobody writes it on. */
const PART_LIFE_MS = 60_000;

/** One large key between two nodes. Whoever has it sends commands that belong to it alone by these links. */
export interface LargeMove {
  readonly source: NodeLink;
  readonly target: NodeLink;
  readonly database: number;
  readonly key: Buffer;
  /** Where the copy is written until it is whole. */
  readonly part: Buffer;
  /** Waits as long as is due between two pieces. @returns false when the move is to be given up */
  goesOn(): Promise<boolean>;
}

/** @returns the name of an unfinished copy, as no client can write it */
export function partOf(key: Buffer): Buffer {
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 40);
  return Buffer.concat([RESERVED_PREFIX, Buffer.from(`part:${digest}`)]);
}

/** Writes a piece, and lets the copy live on. @throws as `askTarget` */
export async function writePiece(move: LargeMove, frames: readonly Words[]): Promise<ReplyValue[]> {
  return askTarget(move, [...frames, ['PEXPIRE', move.part, String(PART_LIFE_MS)]]);
}

/** @throws TransferRefused, NodeFailure, NotInPieces where a command is forbidden */
export function askSource({ source, database }: LargeMove, frames: readonly Words[]): Promise<ReplyValue[]> {
  return ask(source, database, frames);
}

/** The same. */
export function askTarget({ target, database }: LargeMove, frames: readonly Words[]): Promise<ReplyValue[]> {
  return ask(target, database, frames);
}

async function ask(link: NodeLink, database: number, frames: readonly Words[]): Promise<ReplyValue[]> {
  const replies = await link.exchange([requests(frames)], frames.length, database);
  for (const [i, reply] of replies.entries()) {
    if (!(reply instanceof ReplyError)) continue;
    if (isForbidden(reply.message)) throw new NotInPieces();
    throw TransferRefused.by(link, reply, String(frames[i]?.[0]));
  }
  return replies;
}

/** @throws MoveGivenUp */
export async function goOn(move: LargeMove): Promise<void> {
  if (!(await move.goesOn())) throw new MoveGivenUp();
}

/** @throws TransferRefused when the copy is not what the source has, which is worth another try */
export function refuseDifference(move: LargeMove, what: string, copied: number, there: number): void {
  if (copied !== there) throw TransferRefused.byCopy(move.target, `${copied} of ${there} ${what}`);
}
