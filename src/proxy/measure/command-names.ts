import { UNKNOWN_COMMAND_ID } from '../../commands/build.js';
import type { CommandTable } from '../../commands/table.js';

const known = new WeakMap<CommandTable, Map<number, string>>();

/** The name of the command with this id; subcommands go by their container's. */
export function commandName(table: CommandTable, id: number): string {
  let names = known.get(table);
  if (names === undefined) {
    names = new Map([[UNKNOWN_COMMAND_ID, 'unknown']]);
    for (const row of table.rows()) if (!names.has(row.id)) names.set(row.id, row.name);
    known.set(table, names);
  }
  return names.get(id) ?? 'unknown';
}
