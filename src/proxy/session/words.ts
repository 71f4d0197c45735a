import type { Command } from '../../commands/command.js';
import { error as encodeError } from '../../resp/encode.js';
import { args, type RequestFramer } from '../../resp/request-framer.js';
import { TAKEN } from '../request/verdict.js';
import type { ClientConnection } from './client-connection.js';

/** The arguments of the frame at hand, copied; the first is the command's name. */
export function argumentBytes(framer: RequestFramer): Buffer[] {
  const words: Buffer[] = [];
  for (let i = 0; i < framer.argc; i++) {
    words.push(Buffer.from(framer.source.subarray(args.start[i], args.end[i])));
  }
  return words;
}

/** The arguments of the frame at hand as text. */
export function argumentTexts(framer: RequestFramer): string[] {
  return argumentBytes(framer).map((word) => word.toString('utf8'));
}

/** Whether Redis reads the text as an integer: one of 18 digits at most, as no bound of ours is longer. */
export function isInteger(text: string): boolean {
  return /^(?:0|-?[1-9]\d{0,17})$/.test(text);
}

export function answer(client: ClientConnection, command: Command, reply: Uint8Array): typeof TAKEN {
  client.reply(command.id, Buffer.from(reply));
  return TAKEN;
}

/** @param text the error with its code, such as `ERR syntax error` */
export function answerError(client: ClientConnection, command: Command, text: string): typeof TAKEN {
  client.reply(command.id, encodeError(text), true);
  return TAKEN;
}
