/** Who may log in, as the settings say it: users by their names, ready to be asked. */
import { timingSafeEqual } from 'node:crypto';
import {
  DEFAULT_USER,
  defaultUser,
  digestOf,
  makeUser,
  type User,
  type WrittenUser,
} from '../../commands/rights/user.js';
import type { CommandTable } from '../../commands/table.js';

/** What users are made of. */
export interface UserSettings {
  readonly users: readonly WrittenUser[];
  readonly usersFile: readonly WrittenUser[];
  /** That of the user `default`, where it is not among the users. */
  readonly password: string;
}

/** Why somebody may not log in. */
export type LoginFailure = 'unknown-user' | 'user-off' | 'wrong-password';

/** By what a client has become its user. */
export interface Login {
  readonly user: User;
  /** The digest of the password that it gave; empty: none was needed; or `BY_CERTIFICATE`. */
  readonly credential: string;
}

/** What no digest is. */
const BY_CERTIFICATE = 'certificate';

/** What an unknown user's password is compared with, so that it takes as long as any other. */
const NOBODYS_DIGEST = digestOf('');

export class Users {
  #table: CommandTable;
  #settings: UserSettings;
  #byName: ReadonlyMap<string, User> = new Map();
  #default: User;
  #version = 0;

  constructor(settings: UserSettings, table: CommandTable) {
    this.#settings = settings;
    this.#table = table;
    this.#default = defaultUser('', table);
    this.#make();
  }

  /** Grows whenever users may have become others. */
  get version(): number {
    return this.#version;
  }

  /** Who a client is that has not said who it is. */
  get default(): User {
    return this.#default;
  }

  /** Whether a client may do something without a password. */
  get areOpen(): boolean {
    return this.#default.isOn && this.#default.needsNoPassword;
  }

  /** Whether the settings have users, and not only a password. */
  get areConfigured(): boolean {
    return this.#settings.users.length + this.#settings.usersFile.length > 0;
  }

  /** What rules on commands mean. */
  get table(): CommandTable {
    return this.#table;
  }

  find(name: string): User | undefined {
    return this.#byName.get(name);
  }

  /** In the order of their names' bytes, as Redis lists them. */
  list(): User[] {
    const bytes = (user: User): Buffer => Buffer.from(user.name);
    return [...this.#byName.values()].sort((one, other) => Buffer.compare(bytes(one), bytes(other)));
  }

  /** @param password as it was sent @returns who that is, or why nobody */
  logIn(name: string, password: Uint8Array): Login | LoginFailure {
    const user = this.#byName.get(name);
    const digest = digestOf(password);
    const given = Buffer.from(digest);
    let isRight = false;
    // All are looked at, so that the time tells nothing of which one it was.
    for (const known of user?.passwords ?? [NOBODYS_DIGEST]) {
      if (timingSafeEqual(given, Buffer.from(known))) isRight = true;
    }
    if (user === undefined) return 'unknown-user';
    if (!user.isOn) return 'user-off';
    if (user.needsNoPassword) return { user, credential: '' };
    return isRight ? { user, credential: digest } : 'wrong-password';
  }

  /**
   * @param name that of a certificate that was checked
   * @returns who that is; null: nobody, or one of whom the settings know only a password
   */
  byCertificate(name: string): Login | null {
    const user = this.#byName.get(name);
    return user?.isOn === true && !user.isImplicit ? { user, credential: BY_CERTIFICATE } : null;
  }

  /**
   * Who somebody is now that was `before`, and logged in by `credential`.
   * @returns undefined: nobody any more, since the user is gone or off, or the password was taken away
   */
  renew(before: User, credential: string): User | undefined {
    const user = this.#byName.get(before.name);
    if (user === undefined || !user.isOn) return undefined;
    // With a password alone, who has come in stays.
    if (user === this.#default && this.#isImplicit && before.isImplicit) return user;
    if (user.needsNoPassword || user.passwords.includes(credential)) return user;
    if (credential === BY_CERTIFICATE && !user.isImplicit) return user;
    return undefined;
  }

  use(settings: UserSettings, table: CommandTable): void {
    this.#settings = settings;
    this.#table = table;
    this.#make();
  }

  get #isImplicit(): boolean {
    return this.#default.isImplicit;
  }

  #make(): void {
    const { users, usersFile, password } = this.#settings;
    const byName = new Map<string, User>();
    for (const written of [...users, ...usersFile]) {
      const user = makeUser(written, this.#table);
      // The configuration was checked; should one be wrong all the same, it is nobody.
      if (!('mistakes' in user)) byName.set(user.name, user);
    }
    const implicit = defaultUser(password, this.#table, !this.areConfigured || password !== '');
    const explicit = byName.get(DEFAULT_USER);
    this.#default = explicit ?? implicit;
    byName.set(DEFAULT_USER, this.#default);
    this.#byName = byName;
    this.#version++;
  }
}
