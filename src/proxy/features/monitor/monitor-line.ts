/** A line of MONITOR: when, in which database, by whom, and the command with its arguments in quotes. */
import type { Command } from '../../../commands/command.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { ClientConnection } from '../../session/client-connection.js';

const REDACTED = Buffer.from('"(redacted)"');
const SPACE = Buffer.from(' ');
const CRLF = Buffer.from('\r\n');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const SHORT: Readonly<Record<number, string>> = {
  10: '\\n',
  13: '\\r',
  9: '\\t',
  7: '\\a',
  8: '\\b',
};
const US_PER_SECOND = 1_000_000;

/** @param microseconds since 1970 */
export function monitorLine(
  client: ClientConnection,
  command: Command,
  framer: RequestFramer,
  microseconds: number,
): Buffer {
  const source = framer.source as Buffer;
  const seconds = Math.floor(microseconds / US_PER_SECOND);
  const rest = String(Math.floor(microseconds % US_PER_SECOND)).padStart(6, '0');
  const address = client.address === 'unix' ? `unix:${client.localAddress}` : client.address;
  const parts: Buffer[] = [Buffer.from(`+${seconds}.${rest} [${client.kind.database} ${address}]`)];
  const secrets = secretsOf(command, source, framer.argc);
  for (let i = 0; i < framer.argc; i++) {
    parts.push(SPACE);
    parts.push(secrets.has(i) ? REDACTED : quoted(source.subarray(args.start[i], args.end[i])));
  }
  parts.push(CRLF);
  return Buffer.concat(parts);
}

/** Positions of arguments that nobody must see: users and passwords of AUTH and of HELLO. */
function secretsOf(command: Command, source: Buffer, argc: number): ReadonlySet<number> {
  const word = (at: number): string => source.toString('latin1', args.start[at], args.end[at]).toLowerCase();
  const secrets = new Set<number>();
  if (command.secrets === 'all') for (let i = 1; i < argc; i++) secrets.add(i);
  if (command.secrets !== 'behind auth') return secrets;
  for (let i = 2; i < argc; i++) {
    if (word(i) !== 'auth') continue;
    secrets.add(i + 1);
    secrets.add(i + 2);
    i += 2;
  }
  return secrets;
}

/** In double quotes, with everything escaped that is not printable ASCII. */
export function quoted(bytes: Uint8Array): Buffer {
  let plain = true;
  for (const byte of bytes) {
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === QUOTE || byte === BACKSLASH) plain = false;
  }
  if (plain) return Buffer.from(`"${Buffer.from(bytes).toString('latin1')}"`, 'latin1');
  const pieces: string[] = [];
  for (const byte of bytes) {
    if (byte === QUOTE || byte === BACKSLASH) pieces.push(`\\${String.fromCharCode(byte)}`);
    else if (SHORT[byte] !== undefined) pieces.push(SHORT[byte]);
    else if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE) pieces.push(`\\x${byte.toString(16).padStart(2, '0')}`);
    else pieces.push(String.fromCharCode(byte));
  }
  return Buffer.from(`"${pieces.join('')}"`, 'latin1');
}
