/** Who may do what at the admin API. */

/** The least first: whoever has a role may do all that those before it may, too. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

/**
 * `viewer`: looks at everything, changes nothing. `operator`: what can be taken back and loses nothing: nodes join and
 * leave, a change is steered. `admin`: everything, also what may lose data or lets others in.
 */
export type Role = (typeof ROLES)[number];

/** What a path asks of whoever calls it: nothing, that it is a proxy of this ring (which has a token of its own), or a role. */
export type Access = 'nobody' | 'peer' | Role;

/** Words of a body that ask for more than the path does. */
export interface Raised {
  readonly words: readonly string[];
  readonly needs: Role;
}

/** The setting that gives a token of each role, for those who have the wrong one. */
const SETTING_OF: Readonly<Record<Role, string>> = {
  viewer: 'admin-viewer-token',
  operator: 'admin-operator-token',
  admin: 'admin-token',
};

/** Whether a role is enough for what asks for another one. */
export function isEnough(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** @returns the words that are said in a body, of those that ask for more: whatever is not plainly off counts as said */
export function saidOf({ words }: Raised, body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  return words.filter((word) => {
    const value: unknown = Object.hasOwn(body, word) ? Reflect.get(body, word) : undefined;
    return value !== undefined && value !== false;
  });
}

/** @returns why a role is not enough, in a sentence that names the role and the token that are */
export function tooLittle(what: string, role: Role, needed: Role): string {
  return `${what} takes the role ${needed} (${SETTING_OF[needed]}), and was called with a token of the role ${role}`;
}

/** @returns what to do about it */
export function enoughFor(needed: Role): string {
  return `call it with ${needed === 'admin' ? '' : `${SETTING_OF[needed]} or `}admin-token`;
}
