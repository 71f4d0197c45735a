/** What `deny-commands` and `rename-commands` may not do as it was meant: a sentence each. */
import { buildCommandTable } from '../commands/build.js';
import type { CommandTable } from '../commands/table.js';
import type { Config } from './settings.js';
import { suggestion } from './suggestion.js';

/**
 * A misspelt name denies nothing, and nobody would notice. It is no mistake: nodes may have commands that are newer
 * than this program. Other names may be secrets, and are never told.
 */
export function commandWarnings({ denyCommands, renameCommands }: Config): string[] {
  const renames = Object.entries(renameCommands);
  if (denyCommands.length === 0 && renames.length === 0) return [];
  const table = buildCommandTable();
  const others = new Map(renames.map(([name, other]) => [other, name]));
  return [
    ...denyCommands.flatMap((name) => {
      const own = others.get(name);
      if (own !== undefined && isStrange(name, table)) {
        return `deny-commands has the other name of ${shown(own)}, and takes own names alone: nothing is denied by it`;
      }
      return isStrange(name, table) ? `deny-commands: ${describeStrange(name, table)}` : [];
    }),
    ...renames.flatMap(([name, other]) => {
      if (isStrange(name, table)) return `rename-commands: ${describeStrange(name, table)}`;
      if (denyCommands.includes(name)) {
        return `rename-commands: ${shown(name)} is in deny-commands, too: nobody reaches it, under its other name neither`;
      }
      const taken = table.get(other);
      if (taken === undefined || Object.hasOwn(renameCommands, other) || denyCommands.includes(other)) return [];
      return `rename-commands: the other name of ${shown(name)} is a command of its own, and stays that one: nobody reaches ${shown(name)}`;
    }),
  ];
}

/** No command that this version knows; those of modules, with a dot in their names, it cannot know. */
function isStrange(name: string, table: CommandTable): boolean {
  const [own = ''] = name.split('|', 1);
  const command = table.get(own);
  if (command === undefined) return !own.includes('.');
  return name.includes('|') && command.subcommands?.get(name) === undefined;
}

function describeStrange(name: string, table: CommandTable): string {
  const [own = ''] = name.split('|', 1);
  const command = table.get(own);
  const known = command === undefined ? table.rows() : (command.subcommands?.rows() ?? []);
  const near = suggestion(
    shown(command === undefined ? own : name),
    [...known].map((row) => shown(row.name)),
  );
  return `${shown(name)} is no command that this version knows${near}`;
}

function shown(name: string): string {
  return name.toUpperCase();
}
