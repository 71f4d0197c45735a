/** The documentation's table of commands and flags, made from the program. */
import { type Command, Help } from 'commander';

/** What every command that asks a running proxy takes: told once, above the table. */
const COMMON: ReadonlySet<string> = new Set([
  '--admin <url>',
  '--token <token>',
  '--token-file <file>',
  '--json',
  '-h, --help',
]);

/** @returns a table in Markdown: a row for each command that does something, and one for each of its own flags */
export function cliReference(program: Command): string {
  const rows = leaves(program).flatMap((command) => [
    `| \`${usageOf(command)}\` | | ${cell(command.description())} |`,
    ...new Help()
      .visibleOptions(command)
      .filter(({ flags }) => !COMMON.has(flags))
      .map(({ flags, description }) => `| | \`${cell(flags)}\` | ${cell(description)} |`),
  ]);
  return ['| command | flag | what it does |', '|---|---|---|', ...rows].join('\n');
}

function leaves(command: Command): readonly Command[] {
  const seen = new Set(new Help().visibleCommands(command));
  return command.commands.length === 0 ? [command] : command.commands.filter((sub) => seen.has(sub)).flatMap(leaves);
}

/** Its path and its arguments. */
function usageOf(command: Command): string {
  const path: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at.name());
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return cell([...path, ...words].join(' '));
}

/** A pipe would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
