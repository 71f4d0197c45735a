/**
 * One set of rights: which commands, on which keys, with which channels. A user has one, and may have further ones, each
 * of which is enough by itself. Rules change it as in Redis 7.0 (acl.c: ACLSetSelector).
 */
import { ACL_CATEGORIES, type AclCategory } from '../acl.js';
import type { Command } from '../command.js';
import type { CommandTable } from '../table.js';
import { READ, WRITE } from './access.js';

/** Why a rule is none. */
export type RuleMistake =
  | 'unknown'
  | 'syntax'
  | 'behind all keys'
  | 'behind all channels'
  | 'no such password'
  | 'no digest'
  | 'argument of subcommand';

export interface KeyPattern {
  readonly text: string;
  readonly bytes: Buffer;
  /** `READ`, `WRITE` or both. */
  readonly access: number;
}

export interface ChannelPattern {
  readonly text: string;
  readonly bytes: Buffer;
}

/** Spaces as C has them, and the zero byte: nothing in a rule may have them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what Redis looks for
const SPACES = /[\s\u0000]/;

export class Selector {
  readonly #table: CommandTable;
  allKeys = false;
  allChannels = false;
  /** Every command, also such as are not known yet. */
  allCommands = false;
  keys: KeyPattern[] = [];
  channels: ChannelPattern[] = [];
  /** Whether commands are allowed of which no rule says anything. */
  allowsOthers = false;
  /** What rules say of commands, by their names. */
  readonly #said = new Map<string, boolean>();
  /** First arguments with which commands are allowed that are not allowed otherwise. */
  readonly #firstArguments = new Map<string, string[]>();

  /** @param table what categories stand for */
  constructor(table: CommandTable) {
    this.#table = table;
  }

  /** Whether nothing is out of its reach. */
  get isAll(): boolean {
    return this.allCommands && this.allKeys && this.allChannels;
  }

  /** @param name in lower case, `container|subcommand` of a subcommand */
  allows(name: string): boolean {
    return this.#said.get(name) ?? this.allowsOthers;
  }

  /** First arguments with which the command is allowed all the same. */
  firstArgumentsOf(name: string): readonly string[] {
    return this.#firstArguments.get(name) ?? [];
  }

  /** Rules on commands that are in no table: modules', which a node has not told of yet. */
  ofUnknownCommands(): string[] {
    return [...this.#said].flatMap(([name, allowed]) => {
      return this.#find(name) === null && allowed !== this.allowsOthers ? [`${allowed ? '+' : '-'}${name}`] : [];
    });
  }

  /** @returns what is wrong with the rule, which then changes nothing; null: nothing */
  apply(rule: string): RuleMistake | null {
    const word = rule.toLowerCase();
    switch (word) {
      case 'allkeys':
      case '~*':
        this.allKeys = true;
        this.keys = [];
        return null;
      case 'resetkeys':
        this.allKeys = false;
        this.keys = [];
        return null;
      case 'allchannels':
      case '&*':
        this.allChannels = true;
        this.channels = [];
        return null;
      case 'resetchannels':
        this.allChannels = false;
        this.channels = [];
        return null;
      case 'allcommands':
      case '+@all':
        this.#resetCommands(true);
        return null;
      case 'nocommands':
      case '-@all':
        this.#resetCommands(false);
        return null;
    }
    if (rule.startsWith('~') || rule.startsWith('%')) return this.#addKeys(rule);
    if (rule.startsWith('&')) return this.#addChannels(rule.slice(1));
    if (!rule.startsWith('+') && !rule.startsWith('-')) return 'syntax';
    const allowed = rule.startsWith('+');
    if (rule[1] === '@') return this.changeCategory(word.slice(2), allowed) ? null : 'unknown';
    return this.#changeCommand(rule.slice(1), allowed);
  }

  /** Allows or forbids all commands of a category. @returns whether there is such a category */
  changeCategory(category: string, allowed: boolean): boolean {
    if (!isCategory(category)) return false;
    for (const command of this.#table.rows()) {
      if (command.isOfModule) continue;
      if (command.categories.includes(category)) this.change(command, allowed);
      for (const sub of command.subcommands?.rows() ?? []) {
        if (sub.categories.includes(category)) this.change(sub, allowed);
      }
    }
    return true;
  }

  /** Allows or forbids a command, with its subcommands. */
  change(command: Command, allowed: boolean): void {
    this.#say(command.name, allowed);
    this.#firstArguments.delete(command.name);
    for (const sub of command.subcommands?.rows() ?? []) this.#say(sub.name, allowed);
  }

  /** Takes what rules say of commands from another one. */
  takeCommands(other: Selector): void {
    this.#resetCommands(other.allowsOthers);
    this.allCommands = other.allCommands;
    for (const [name, allowed] of other.#said) this.#said.set(name, allowed);
  }

  #resetCommands(allowed: boolean): void {
    this.allCommands = allowed;
    this.allowsOthers = allowed;
    this.#said.clear();
    this.#firstArguments.clear();
  }

  #say(name: string, allowed: boolean): void {
    this.#said.set(name, allowed);
    if (!allowed) this.allCommands = false;
  }

  #changeCommand(written: string, allowed: boolean): RuleMistake | null {
    const name = written.toLowerCase();
    const command = this.#find(name);
    if (command !== null) {
      this.change(command, allowed);
      return null;
    }
    if (isOfUnknownModule(name)) {
      this.#say(name, allowed);
      return null;
    }
    const bar = written.lastIndexOf('|');
    if (!allowed || bar < 0) return 'unknown';
    const container = this.#find(name.slice(0, bar));
    if (container === null) return 'unknown';
    if (container.name.includes('|')) return 'argument of subcommand';
    const argument = written.slice(bar + 1);
    if (argument === '') return 'syntax';
    if (container.subcommands !== null) return 'unknown';
    const known = this.#firstArguments.get(container.name) ?? [];
    if (!known.some((other) => other.toLowerCase() === argument.toLowerCase())) known.push(argument);
    this.#firstArguments.set(container.name, known);
    return null;
  }

  #find(name: string): Command | null {
    const [container = '', sub, more] = name.split('|');
    if (more !== undefined) return null;
    const command = this.#table.get(container);
    if (command === undefined || sub === undefined) return command ?? null;
    return command.subcommands?.get(name) ?? null;
  }

  #addKeys(rule: string): RuleMistake | null {
    if (this.allKeys) return 'behind all keys';
    // As in Redis, what stands behind the letters may be missing: then it is the empty pattern.
    const [, letters, rest = ''] = /^%(R|W|RW|WR)(?:~(.*))?$/is.exec(rule) ?? [];
    if (rule.startsWith('%') && letters === undefined) return 'syntax';
    const text = letters === undefined ? rule.slice(1) : rest;
    if (SPACES.test(text)) return 'syntax';
    const asked = letters?.toUpperCase() ?? 'RW';
    const access = (asked.includes('R') ? READ : 0) | (asked.includes('W') ? WRITE : 0);
    const at = this.keys.findIndex((pattern) => pattern.text === text);
    const known = this.keys[at];
    if (known === undefined) this.keys.push({ text, bytes: Buffer.from(text), access });
    else this.keys[at] = { ...known, access: known.access | access };
    return null;
  }

  #addChannels(text: string): RuleMistake | null {
    if (this.allChannels) return 'behind all channels';
    if (SPACES.test(text)) return 'syntax';
    if (!this.channels.some((pattern) => pattern.text === text)) this.channels.push({ text, bytes: Buffer.from(text) });
    return null;
  }
}

function isCategory(name: string): name is AclCategory {
  return ACL_CATEGORIES.some((category) => category === name);
}

/** Modules' commands have a dot in their names. Nodes may be asked for them later, when rules have been read. */
function isOfUnknownModule(name: string): boolean {
  return /^[a-z0-9_-]+\.[a-z0-9_.-]+$/.test(name);
}
