import type { Command } from './command.js';
import type { Arguments } from './keys.js';

/** Redis quotes at most this many bytes of an unknown command's name and arguments. */
const QUOTED_BYTES = 128;

/** @returns the error text of Redis when `argc` arguments (the name included) do not fit, otherwise null */
export function arityError(command: Command, argc: number): string | null {
  const fits = command.arity >= 0 ? argc === command.arity : argc >= -command.arity;
  return fits ? null : `ERR wrong number of arguments for '${command.name}' command`;
}

/** The error text of Redis for a command that it does not know. */
export function unknownCommandError(source: Uint8Array, args: Arguments, argc: number): string {
  const name = quote(source, args, 0, QUOTED_BYTES);
  let quoted = '';
  for (let i = 1; i < argc && quoted.length < QUOTED_BYTES; i++) {
    quoted += `'${quote(source, args, i, QUOTED_BYTES - quoted.length)}' `;
  }
  return `ERR unknown command '${name}', with args beginning with: ${quoted}`;
}

/** The error text of Redis for a subcommand that it does not know. */
export function unknownSubcommandError(container: Command, source: Uint8Array, args: Arguments): string {
  const sub = quote(source, args, 1, QUOTED_BYTES);
  return `ERR unknown subcommand '${sub}'. Try ${container.name.toUpperCase()} HELP.`;
}

function quote(source: Uint8Array, args: Arguments, index: number, most: number): string {
  const start = args.start[index] as number;
  const end = Math.min(args.end[index] as number, start + most);
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('latin1');
}
