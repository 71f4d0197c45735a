/** The commands that clients are offered: those of the table, without what is denied, and some under other names. */
import type { Command } from './command.js';
import { CommandTable } from './table.js';

/** A command that clients reach under another name than its own. */
export interface Renamed {
  readonly command: Command;
  /** Its own name, as nodes know it. */
  readonly name: Buffer;
}

export interface OfferedCommands {
  /** By their own names. */
  readonly table: CommandTable;
  /** By the names that they have instead, in lower case; null: none has. */
  readonly renamed: ReadonlyMap<string, Renamed> | null;
}

/**
 * @param denied names in lower case, of subcommands as `config|set`; what is no command is of no account
 * @param renames by the own name, the other one, both in lower case
 */
export function offerCommands(
  table: CommandTable,
  denied: readonly string[],
  renames: Readonly<Record<string, string>>,
): OfferedCommands {
  const moved = Object.entries(renames);
  if (denied.length === 0 && moved.length === 0) return { table, renamed: null };
  const away = new Set(denied);
  const rest = [...table.rows()].filter(({ name }) => !away.has(name)).map((row) => withoutSubcommands(row, away));
  const renamed = new Map<string, Renamed>();
  for (const [name, other] of moved) {
    const command = rest.find((row) => row.name === name);
    if (command !== undefined) renamed.set(other, { command, name: Buffer.from(name) });
  }
  const kept = rest.filter(({ name }) => !Object.hasOwn(renames, name));
  return { table: new CommandTable(kept), renamed: renamed.size === 0 ? null : renamed };
}

function withoutSubcommands(row: Command, away: ReadonlySet<string>): Command {
  if (row.subcommands === null) return row;
  const all = [...row.subcommands.rows()];
  const kept = all.filter(({ name }) => !away.has(name));
  return kept.length === all.length ? row : { ...row, subcommands: new CommandTable(kept) };
}
