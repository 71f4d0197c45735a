/** The tokens that the admin API knows, and whose they are. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isEnough, ROLES, type Role } from './roles.js';

/** Those that are valid at the moment; several of a role while one takes the place of another. */
export type TokensByRole = Readonly<Record<Role, readonly string[]>>;

interface Known {
  readonly role: Role;
  readonly digest: Buffer;
}

export class Credentials {
  #known: readonly Known[] = [];

  constructor(tokens: TokensByRole) {
    this.replace(tokens);
  }

  /** From now on these are valid, and no others. */
  replace(tokens: TokensByRole): void {
    this.#known = ROLES.flatMap((role) => tokens[role].map((token) => ({ role, digest: digestOf(token) })));
  }

  /** There are none: whoever reaches the API may do everything. */
  get areNone(): boolean {
    return this.#known.length === 0;
  }

  /**
   * Whose token it is. All are compared, and each in the same time: how long it takes tells nothing of them.
   * @returns null: nobody's
   */
  roleOf(token: string): Role | null {
    const digest = digestOf(token);
    let found: Role | null = null;
    for (const known of this.#known) {
      if (timingSafeEqual(known.digest, digest) && (found === null || isEnough(known.role, found))) found = known.role;
    }
    return found;
  }
}

/** Whether two secrets are the same. How long it takes tells nothing of them. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}

/** Of equal length, whatever the texts are. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
