/** The settings `users` and `users-file`: who may log in, and what they may do, in Redis' ACL syntax. */
import { z } from 'zod';
import { buildCommandTable } from '../commands/build.js';
import { hideSecrets, isUserName, makeUser, splitRules, type WrittenUser } from '../commands/rights/user.js';
import type { CommandTable } from '../commands/table.js';
import { messageOf } from '../errors.js';
import { readRegularFile } from '../regular-file.js';

/** Each user is looked at when the configuration is read again, and kept by each process. */
const MOST_USERS = 10_000;
const MOST_FILE_BYTES = 16 * 1_048_576;
const EXPECTED =
  "expected users with their rules, such as alice: 'on #… ~app:* +@read', or a list of rules where one has blanks";

const shape = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

interface Mistake {
  readonly path: readonly string[];
  readonly message: string;
}

interface Read {
  readonly users: readonly WrittenUser[];
  readonly mistakes: readonly Mistake[];
}

/** In the file, by name: rules in one text, or a list of them. As text: lines as in a `users-file`. */
export const users: z.ZodType<readonly WrittenUser[]> = z
  .unknown()
  .transform((value, context) => {
    const { users, mistakes } = typeof value === 'string' ? readLines(value) : readMap(value);
    for (const { path, message } of mistakes) context.addIssue({ code: 'custom', message, path: [...path] });
    return mistakes.length === 0 ? users : z.NEVER;
  })
  .prefault({});

/** A file in the form of Redis' `aclfile`: `user NAME RULE…`, a line each. Empty: there is none. */
export const usersFile: z.ZodType<readonly WrittenUser[]> = z
  .string({ message: 'expected a path' })
  .transform((path, context) => {
    if (path === '') return [];
    const fail = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    try {
      const { users, mistakes } = readLines(readRegularFile(path, MOST_FILE_BYTES).toString('utf8'));
      for (const mistake of mistakes) fail(`${path}, ${mistake.message}`);
      return mistakes.length === 0 ? users : z.NEVER;
    } catch (error) {
      return fail(messageOf(error));
    }
  })
  .prefault('');

/** What is wrong with users of both settings, and the password, together. */
export function userMistakes(config: {
  readonly users: readonly WrittenUser[];
  readonly usersFile: readonly WrittenUser[];
  readonly password: string;
}): { path: string; message: string }[] {
  const mistakes: { path: string; message: string }[] = [];
  const inMap = new Set(config.users.map(({ name }) => name));
  for (const { name } of config.usersFile) {
    if (inMap.has(name)) mistakes.push({ path: 'users-file', message: `user ${name} stands in users, too` });
  }
  const hasDefault = [...config.users, ...config.usersFile].some(({ name }) => name === 'default');
  if (hasDefault && config.password !== '') {
    mistakes.push({ path: 'password', message: 'is that of user default, which has its own: leave one of them out' });
  }
  return mistakes;
}

function readMap(value: unknown): Read {
  const { success, data } = shape.safeParse(value);
  if (!success) return { users: [], mistakes: [{ path: [], message: EXPECTED }] };
  const mistakes: Mistake[] = [];
  const found = Object.entries(data).flatMap(([name, written]) => {
    const tell = (message: string): void => void mistakes.push({ path: [name], message });
    const rules = typeof written === 'string' ? splitRules(written) : written;
    return rules === null ? (tell('a parenthesis is not closed') ?? []) : readUser(name, rules, tell);
  });
  if (found.length > MOST_USERS) mistakes.push({ path: [], message: `there are more than ${MOST_USERS} users` });
  return { users: found, mistakes };
}

function readLines(text: string): Read {
  const mistakes: Mistake[] = [];
  const names = new Set<string>();
  const found = text.split(/\r?\n/).flatMap((line, index) => {
    const tell = (message: string): void => void mistakes.push({ path: [], message: `line ${index + 1}: ${message}` });
    if (line.trim() === '' || line.trimStart().startsWith('#')) return [];
    const [word = '', name = '', ...rest] = line.trim().split(/\s+/);
    if (word.toLowerCase() !== 'user' || name === '') return tell('expected `user NAME RULE…`') ?? [];
    if (names.has(name)) return tell(`user ${name} stands there twice`) ?? [];
    names.add(name);
    const rules = splitRules(rest.join(' '));
    return rules === null ? (tell('a parenthesis is not closed') ?? []) : readUser(name, rules, tell);
  });
  if (found.length > MOST_USERS) mistakes.push({ path: [], message: `there are more than ${MOST_USERS} users` });
  return { users: found, mistakes };
}

function readUser(name: string, rules: readonly string[], tell: (message: string) => void): WrittenUser[] {
  if (!isUserName(name)) {
    tell('a name has no blanks and no control characters');
    return [];
  }
  const user = { name, rules: hideSecrets(rules) };
  const made = makeUser(user, commands());
  if (!('mistakes' in made)) return [user];
  for (const { rule, message } of made.mistakes) tell(`user ${name}, rule ${rule}: ${message}`);
  return [];
}

let table: CommandTable | null = null;

/** Made when there are users. */
function commands(): CommandTable {
  table ??= buildCommandTable();
  return table;
}
