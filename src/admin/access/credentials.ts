/** The tokens that the admin API knows, and whose they are. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isEnough, ROLES, type Role } from './roles.js';

/** A token, and what whoever has it is called where it is told who did something. */
export interface NamedToken {
  readonly name: string;
  readonly token: string;
}

/** Those that are valid at the moment; several of a role while one takes the place of another. */
export type TokensByRole = Readonly<Record<Role, readonly NamedToken[]>>;

/** Whose token it is. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

interface Known {
  readonly caller: Caller;
  readonly digest: Buffer;
}

export class Credentials {
  #known: readonly Known[] = [];
  #onReplaced: () => void = () => {};

  constructor(tokens: TokensByRole) {
    this.replace(tokens);
  }

  /** From now on these are valid, and no others. */
  replace(tokens: TokensByRole): void {
    this.#known = ROLES.flatMap((role) =>
      tokens[role].map(({ name, token }) => ({ caller: { name, role }, digest: digestOf(token) })),
    );
    this.#onReplaced();
  }

  /** @param listener called when others have become valid */
  onReplaced(listener: () => void): void {
    this.#onReplaced = listener;
  }

  /** There are none: whoever reaches the API may do everything. */
  get areNone(): boolean {
    return this.#known.length === 0;
  }

  /**
   * Whose token it is. All are compared, and each in the same time: how long it takes tells nothing of them.
   * @returns null: nobody's
   */
  callerOf(token: string): Caller | null {
    const digest = digestOf(token);
    let found: Caller | null = null;
    for (const { caller, digest: known } of this.#known) {
      const isGreater = found === null || (caller.role !== found.role && isEnough(caller.role, found.role));
      if (timingSafeEqual(known, digest) && isGreater) found = caller;
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
