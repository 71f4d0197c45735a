/**
 * Scripts and functions that declare that they do not write (`no-writes`, EVAL_RO and its like): keys are lent to them as to
 * any other read. They see the names by which these are lent, and where they answer such a name the client gets its own.
 */
import { saysCodeMayWrite } from '../../../../node/reply-errors.js';
import { error as encodeError } from '../../../../resp/encode.js';
import { lineEnd } from '../../../../resp/whole-reply.js';
import type { Operation } from '../operation.js';
import { StepFailed } from '../step-failed.js';
import { lendForRead } from './lend.js';

export const MAY_WRITE = encodeError(
  'CROSSSLOT Keys in request are on several nodes, and this script may write: give them a hash tag, such as {user:1}, in common; or, when it only reads, declare so: #!lua flags=no-writes in its first line',
);
export const UNKNOWN_SCRIPT = encodeError('NOSCRIPT No matching script. Please use EVAL.');

const DOLLAR = 0x24;
const EQUALS = 0x3d;
const BANG = 0x21;

export async function runCode(operation: Operation): Promise<Buffer> {
  const names = new Map<string, Buffer>();
  try {
    const reply = await lendForRead(operation, (lent, key) => names.set(lent.toString('latin1'), key));
    return withNames(reply, names);
  } catch (error) {
    if (error instanceof StepFailed && saysCodeMayWrite(error.message)) throw new StepFailed(MAY_WRITE);
    throw error;
  }
}

/** @param names by what stands for them in the reply */
export function withNames(reply: Buffer, names: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  let copied = 0;
  for (let at = 0; at < reply.length; ) {
    const type = reply[at];
    const payload = lineEnd(reply, at);
    // What is neither a text with a length nor the head of what has parts is one line.
    if (type !== DOLLAR && type !== EQUALS && type !== BANG) {
      at = payload;
      continue;
    }
    const length = Number(reply.toString('latin1', at + 1, payload - 2));
    const end = length < 0 ? payload : payload + length + 2;
    const name = type === DOLLAR && length >= 0 ? names.get(reply.toString('latin1', payload, end - 2)) : undefined;
    if (name !== undefined) {
      parts.push(reply.subarray(copied, at), Buffer.from(`$${name.length}\r\n`), name, Buffer.from('\r\n'));
      copied = end;
    }
    at = end;
  }
  return parts.length === 0 ? reply : Buffer.concat([...parts, reply.subarray(copied)]);
}
