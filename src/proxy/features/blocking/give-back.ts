/**
 * What was taken for a client that has left meanwhile goes back to where it was, as if nobody had taken it. Redis would
 * not have taken it: it knows at once that a client has left.
 */
import type { Command } from '../../../commands/command.js';
import { decodeReply, type ReplyValue } from '../../../resp/decode.js';
import { request as encodeRequest } from '../../../resp/encode.js';

/** @param words with the one key that something was taken of @param reply what the node has answered @returns null: it took nothing */
export function giveBackFrame(command: Command, words: readonly Buffer[], reply: Buffer): Uint8Array | null {
  const value = decodeReply(reply)?.value;
  if (!Array.isArray(value)) return null;
  const [key, taken, score] = value;
  if (!Buffer.isBuffer(key)) return null;
  switch (command.waits?.takes) {
    case 'first':
      return encodeRequest(['LPUSH', key, bytesOf(taken)]);
    case 'last':
      return encodeRequest(['RPUSH', key, bytesOf(taken)]);
    case 'elements': {
      const isLeft = words.some((word) => word.toString('latin1').toLowerCase() === 'left');
      return encodeRequest([isLeft ? 'LPUSH' : 'RPUSH', key, ...listOf(taken).map(bytesOf).reverse()]);
    }
    case 'member':
      return encodeRequest(['ZADD', key, bytesOf(score), bytesOf(taken)]);
    case 'members':
      return encodeRequest(['ZADD', key, ...scoresAndMembers(listOf(taken))]);
    // What a group has delivered stays with its consumer, as in Redis: others claim it from there.
    default:
      return null;
  }
}

function scoresAndMembers(pairs: readonly ReplyValue[]): Buffer[] {
  return pairs.flatMap((pair) => {
    const [member, score] = listOf(pair);
    return [bytesOf(score), bytesOf(member)];
  });
}

function listOf(value: ReplyValue | undefined): readonly ReplyValue[] {
  return Array.isArray(value) ? value : [];
}

/** Of a score, too: RESP3 has it as a number. */
function bytesOf(value: ReplyValue | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}
