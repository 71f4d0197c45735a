/** Who may do what at the admin API. */

/** The least first: whoever has a role may do all that those before it may, too. */
export const ROLES = ['viewer', 'admin'] as const;

/** `viewer`: looks at everything, changes nothing. `admin`: everything. */
export type Role = (typeof ROLES)[number];

/** What a path asks of whoever calls it: nothing, that it is a proxy of this ring (which has a token of its own), or a role. */
export type Access = 'nobody' | 'peer' | Role;

/** The setting that gives a token of each role, for those who have the wrong one. */
const SETTING_OF: Readonly<Record<Role, string>> = { viewer: 'admin-viewer-token', admin: 'admin-token' };

/** Whether a role is enough for what asks for another one. */
export function isEnough(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** @returns why a role is not enough, in a sentence that names the token that is */
export function tooLittle(what: string, role: Role, needed: Role): string {
  return `${what} needs the token of ${SETTING_OF[needed]}, and was called with that of ${SETTING_OF[role]}, which only looks`;
}
