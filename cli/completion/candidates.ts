/** What may stand for the last word of a command line, by the program's own commands and flags. */
import type { Command, Option } from 'commander';

export interface Offer {
  readonly value: string;
  /** One line; empty: it says nothing that the value does not. */
  readonly description: string;
}

export interface Candidates {
  readonly offers: readonly Offer[];
  /** Names of files may stand there. */
  readonly files: boolean;
}

/** Where an admin API is asked for names, as the command line says it. */
export interface Asked {
  readonly admin?: string | undefined;
  readonly token?: string | undefined;
}

/** The names that a running proxy knows for the arguments of the command at `path`; none where nothing answers. */
export type NamesOf = (path: string, asked: Asked) => Promise<readonly Offer[]>;

const NOTHING: Candidates = { offers: [], files: false };
const FILES: Candidates = { offers: [], files: true };

/** @param words all behind the program's name, as far as the cursor; the last one, perhaps empty, is to be completed */
export async function candidates(program: Command, words: readonly string[], namesOf: NamesOf): Promise<Candidates> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const found = helped(program, before) ?? (await following(readLine(program, before), typed, namesOf));
  return { ...found, offers: found.offers.filter(({ value }) => value.startsWith(typed)) };
}

/** Commands that help may be asked for: `help ring …`, `ring help …`. @returns null: none is asked for */
function helped(program: Command, words: readonly string[]): Candidates | null {
  const at = words.indexOf('help');
  const group = readLine(program, words.slice(0, Math.max(0, at)));
  // Otherwise it is an argument, such as a node's name.
  if (at < 0 || group.given.length > 0 || group.command.commands.length === 0) return null;
  const { command, given } = readLine(program, [...words.slice(0, at), ...words.slice(at + 1)]);
  const offers = given.length > 0 ? [] : visibleCommands(command).filter(({ value }) => value !== 'help');
  return { offers, files: false };
}

interface Line {
  readonly command: Command;
  /** Names of the commands, one behind the other. */
  readonly path: string;
  /** Its arguments that stand there already. */
  readonly given: readonly string[];
  /** The flags that stand there already, by their long names, with their values. */
  readonly flags: ReadonlyMap<string, string>;
  /** The flag whose value is to come. */
  readonly open: Option | null;
  /** Behind `--` nothing is a flag. */
  readonly flagsEnded: boolean;
}

function readLine(program: Command, words: readonly string[]): Line {
  let command = program;
  const path: string[] = [];
  const given: string[] = [];
  const flags = new Map<string, string>();
  let open: Option | null = null;
  let flagsEnded = false;
  for (const word of words) {
    if (open !== null) {
      flags.set(open.long ?? '', word);
      open = null;
    } else if (!flagsEnded && word === '--') {
      flagsEnded = true;
    } else if (!flagsEnded && word.startsWith('-')) {
      const [name = '', value] = word.split(/=(.*)/s, 2);
      const option = command.options.find(({ long, short }) => long === name || short === name);
      flags.set(option?.long ?? name, value ?? '');
      if (option !== undefined && takesValue(option) && value === undefined) open = option;
    } else {
      const sub = given.length > 0 ? undefined : subOf(command, word);
      if (sub === undefined) given.push(word);
      else {
        command = sub;
        path.push(sub.name());
      }
    }
  }
  return { command, path: path.join(' '), given, flags, open, flagsEnded };
}

async function following(line: Line, typed: string, namesOf: NamesOf): Promise<Candidates> {
  if (line.open !== null) return valuesOf(line.open);
  if (typed.startsWith('-') && !line.flagsEnded) return { offers: flagsOf(line), files: false };
  const commands = line.given.length > 0 ? [] : visibleCommands(line.command);
  const argument = argumentAt(line);
  if (argument === undefined) return { offers: commands, files: false };
  if (argument.name() === 'file') return FILES;
  const choices = (argument.argChoices ?? []).map((value) => ({ value, description: '' }));
  const asked = { admin: line.flags.get('--admin'), token: line.flags.get('--token') };
  const names = choices.length > 0 ? [] : await namesOf(line.path, asked);
  const fresh = names.filter(({ value }) => !line.given.includes(value));
  return { offers: [...commands, ...choices, ...fresh], files: false };
}

function argumentAt({ command, given }: Line): Command['registeredArguments'][number] | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[given.length] ?? (last?.variadic === true ? last : undefined);
}

function visibleCommands(command: Command): Offer[] {
  const hidden = command.createHelp();
  return hidden
    .visibleCommands(command)
    .map((sub) => ({ value: sub.name(), description: firstLine(sub.description()) }));
}

function subOf(command: Command, word: string): Command | undefined {
  return command.commands.find((sub) => sub.name() === word || sub.aliases().includes(word));
}

/** Those that are not there yet; one that may stand several times is offered again. */
function flagsOf({ command, flags }: Line): Offer[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long, parseArg }) => long !== undefined && long !== null && (parseArg !== undefined || !flags.has(long)))
    .map((option) => ({ value: option.long ?? '', description: firstLine(option.description) }));
}

/** `<none|etcd>` names its values; `<file>` and `<DIR>` are paths. */
function valuesOf(option: Option): Candidates {
  const placeholder = /<([^>]+)>/.exec(option.flags)?.[1] ?? '';
  if (/^(file|dir)$/i.test(placeholder)) return FILES;
  const named = option.argChoices ?? (/^[\w-]+(\|[\w-]+)+$/.test(placeholder) ? placeholder.split('|') : []);
  return named.length === 0 ? NOTHING : { offers: named.map((value) => ({ value, description: '' })), files: false };
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function firstLine(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ');
}
