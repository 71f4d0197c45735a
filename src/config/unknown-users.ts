/** Users that a setting names, and that there are not. */
import { DEFAULT_USER, type WrittenUser } from '../commands/rights/user.js';
import { suggestion } from './suggestion.js';

export interface UsersOfConfig {
  readonly users: readonly WrittenUser[];
  readonly usersFile: readonly WrittenUser[];
}

export interface PathMistake {
  readonly path: string;
  readonly message: string;
}

/** @param path of the setting @param names that it has */
export function unknownUsers(path: string, names: readonly string[], config: UsersOfConfig): PathMistake[] {
  const known = [DEFAULT_USER, ...[...config.users, ...config.usersFile].map(({ name }) => name)];
  const found = new Set(known);
  return names
    .filter((name) => !found.has(name))
    .map((name) => ({
      path,
      message: `there is no user ${name} in users or users-file${suggestion(name, known)}`,
    }));
}
