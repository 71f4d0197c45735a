/** A user as rules make it, in the syntax of Redis 7.0 (acl.c: ACLSetUser). Never changed once it is made. */
import { createHash } from 'node:crypto';
import type { CommandTable } from '../table.js';
import { type RuleMistake, Selector } from './selector.js';

export const DEFAULT_USER = 'default';

/** A user as it is written: passwords by their digests alone (`hideSecrets`). */
export interface WrittenUser {
  readonly name: string;
  readonly rules: readonly string[];
}

export interface User {
  readonly name: string;
  readonly isOn: boolean;
  /** Any password will do. */
  readonly needsNoPassword: boolean;
  /** SHA-256, in hexadecimal digits. */
  readonly passwords: readonly string[];
  /** `sanitize-payload` was said, or its opposite; null: neither. Nodes look at payloads as they are set to. */
  readonly sanitizes: boolean | null;
  /** The first one is the user's own; one that allows is enough. */
  readonly selectors: readonly Selector[];
  /** Nothing is out of its reach. */
  readonly isAll: boolean;
  /** No rules make it: it is what `password` says, or that there is none. */
  readonly isImplicit: boolean;
  /** The same text: the same user. */
  readonly rules: string;
}

/** What is wrong with a rule. */
export interface BadRule {
  /** Without what may be a password. */
  readonly rule: string;
  /** As Redis says it. */
  readonly message: string;
}

const MESSAGES: Readonly<Record<RuleMistake, string>> = {
  unknown: 'Unknown command or category name in ACL',
  syntax: 'Syntax error',
  'behind all keys':
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  'behind all channels':
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
  'no such password': 'The password you are trying to remove from the user does not exist',
  'no digest': 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  'argument of subcommand': 'Allowing first-arg of a subcommand is not supported',
};

const DIGEST = /^[0-9a-f]{64}$/;

/** Names have no blanks, and none is taken for a rule or a part of a line. */
export function isUserName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what Redis looks for
  return name !== '' && !/[\s\u0000-\u001f\u007f]/.test(name);
}

export function digestOf(password: string | Uint8Array): string {
  return createHash('sha256').update(password).digest('hex');
}

/** The rules with digests in the place of passwords. */
export function hideSecrets(rules: readonly string[]): string[] {
  return rules.map((rule) => {
    if (rule.startsWith('>')) return `#${digestOf(rule.slice(1))}`;
    return rule.startsWith('<') ? `!${digestOf(rule.slice(1))}` : rule;
  });
}

/** @returns rules of a line; those of a selector in parentheses are one. Null: a parenthesis is not closed */
export function splitRules(line: string): string[] | null {
  return mergeSelectors(line.split(/\s+/).filter((word) => word !== ''));
}

/** Selectors whose words came apart are one rule again. @returns null: a parenthesis is not closed */
export function mergeSelectors(words: readonly string[]): string[] | null {
  const rules: string[] = [];
  let open: string | null = null;
  for (const word of words) {
    if (open === null && !(word.startsWith('(') && !word.endsWith(')'))) {
      rules.push(word);
      continue;
    }
    open = open === null ? word : `${open} ${word}`;
    if (!word.endsWith(')')) continue;
    rules.push(open);
    open = null;
  }
  return open === null ? rules : null;
}

/** @returns the user; or the rules that are none */
export function makeUser({ name, rules }: WrittenUser, table: CommandTable): User | { readonly mistakes: BadRule[] } {
  const draft = new Draft(table);
  const mistakes = rules.flatMap((rule) => {
    const mistake = draft.apply(rule);
    return mistake === null ? [] : [{ rule: shown(rule), message: MESSAGES[mistake] }];
  });
  return mistakes.length === 0 ? draft.user(name, rules) : { mistakes };
}

/** The user that everybody is who has not said otherwise. @param password empty: none is needed @param isOn it may log in */
export function defaultUser(password: string, table: CommandTable, isOn = true): User {
  const credential = password === '' ? 'nopass' : `#${digestOf(password)}`;
  const rules = [isOn ? 'on' : 'off', credential, '~*', '&*', '+@all'];
  const draft = new Draft(table);
  for (const rule of rules) draft.apply(rule);
  return { ...draft.user(DEFAULT_USER, rules), isImplicit: true };
}

class Draft {
  readonly #table: CommandTable;
  readonly #root: Selector;
  #isOn = false;
  #needsNoPassword = false;
  #passwords: string[] = [];
  #sanitizes: boolean | null = null;
  #others: Selector[] = [];

  constructor(table: CommandTable) {
    this.#table = table;
    this.#root = new Selector(table);
  }

  user(name: string, rules: readonly string[]): User {
    const selectors = [this.#root, ...this.#others];
    return {
      name,
      isOn: this.#isOn,
      needsNoPassword: this.#needsNoPassword,
      passwords: this.#passwords,
      sanitizes: this.#sanitizes,
      selectors,
      isAll: selectors.some((selector) => selector.isAll),
      isImplicit: false,
      rules: rules.join('\n'),
    };
  }

  apply(rule: string): RuleMistake | null {
    switch (rule.toLowerCase()) {
      case '':
        return null;
      case 'on':
        this.#isOn = true;
        return null;
      case 'off':
        this.#isOn = false;
        return null;
      case 'sanitize-payload':
        this.#sanitizes = true;
        return null;
      case 'skip-sanitize-payload':
        this.#sanitizes = false;
        return null;
      case 'nopass':
        this.#needsNoPassword = true;
        this.#passwords = [];
        return null;
      case 'resetpass':
        this.#needsNoPassword = false;
        this.#passwords = [];
        return null;
      case 'clearselectors':
        this.#others = [];
        return null;
      case 'reset':
        for (const part of RESET) this.apply(part);
        return null;
    }
    if (/^[>#<!]/.test(rule)) return this.#changePassword(rule);
    if (rule.startsWith('(') && rule.endsWith(')')) return this.#addSelector(rule.slice(1, -1));
    return this.#root.apply(rule);
  }

  #changePassword(rule: string): RuleMistake | null {
    const said = rule.slice(1);
    const isPlain = rule.startsWith('>') || rule.startsWith('<');
    if (!isPlain && !DIGEST.test(said)) return 'no digest';
    const digest = isPlain ? digestOf(said) : said;
    const isKnown = this.#passwords.includes(digest);
    if (rule.startsWith('>') || rule.startsWith('#')) {
      if (!isKnown) this.#passwords.push(digest);
      this.#needsNoPassword = false;
      return null;
    }
    if (!isKnown) return 'no such password';
    this.#passwords = this.#passwords.filter((other) => other !== digest);
    return null;
  }

  #addSelector(rules: string): RuleMistake | null {
    const selector = new Selector(this.#table);
    for (const rule of rules.split(/\s+/)) {
      const mistake = rule === '' ? null : selector.apply(rule);
      if (mistake !== null) return mistake;
    }
    this.#others.push(selector);
    return null;
  }
}

const RESET = ['resetpass', 'resetkeys', 'resetchannels', 'off', 'sanitize-payload', 'clearselectors', '-@all'];

/** A rule without what may be a password. */
function shown(rule: string): string {
  return /^[>#<!]/.test(rule) ? `${rule.slice(0, 1)}…` : rule;
}
