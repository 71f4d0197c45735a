/**
 * Commands in a transaction that the proxy answers itself, such as CLIENT SETNAME. At the node a PING keeps their place;
 * when the transaction has run, they are carried out here, and their answers take the places of the PINGs'.
 */
import type { Command } from '../../../commands/command.js';
import { EMPTY_ARRAY, request as encodeRequest } from '../../../resp/encode.js';
import { RequestFramer } from '../../../resp/request-framer.js';
import { headerNumber, lineEnd, replyEnd } from '../../../resp/whole-reply.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { TransactionPorts } from './ports.js';

/** What stands at the node in the place of such a command. */
export const PLACEHOLDER: Buffer = Buffer.from(encodeRequest(['PING']));

/** A queued command that the proxy answers. */
export interface OwnCommand {
  readonly command: Command;
  readonly frame: Buffer;
  /** Its position among the queued commands. */
  readonly at: number;
}

/** Whether the other processes of the proxy are told of it. */
export function concernsOthers(command: Command): boolean {
  return command.inTransaction === 'here, peers told';
}

/** Carries the command out. @param maxBulkLength as the frame was read with @returns its reply */
export function answerHere(
  runLocal: TransactionPorts['runLocal'],
  maxBulkLength: number,
  client: ClientConnection,
  { command, frame }: OwnCommand,
): Buffer {
  const framer = new RequestFramer({
    maxArgs: frame.length,
    maxBulkLength,
    maxInlineLength: frame.length,
    authenticated: true,
  });
  framer.next(frame, 0, frame.length);
  return client.collectReply(() => runLocal(client, command, framer)) ?? EMPTY_ARRAY;
}

const ERROR_BYTE = 0x2d;

/** @param elements by position @returns EXEC's reply with these elements in the place of its own, but for errors of its own */
export function withElements(exec: Buffer, elements: ReadonlyMap<number, Buffer>): Buffer {
  if (elements.size === 0) return exec;
  const count = headerNumber(exec, 0);
  let at = lineEnd(exec, 0);
  const pieces = [exec.subarray(0, at)];
  for (let i = 0; i < count; i++) {
    const end = replyEnd(exec, at, exec.length);
    if (end < 0) return exec;
    const own = exec.subarray(at, end);
    pieces.push(exec[at] === ERROR_BYTE ? own : (elements.get(i) ?? own));
    at = end;
  }
  return Buffer.concat(pieces);
}
