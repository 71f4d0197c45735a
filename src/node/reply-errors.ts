/**
 * What an error reply of a node means, where the proxy decides something by it. A node's errors have a code as their
 * first word; for what only older versions of Redis, or other servers, say under `ERR`, there is nothing but the text.
 */

/** A node says so to whoever connects, before it closes the connection: it has not read a word. */
export function turnsAway(error: string): boolean {
  return /^(?:ERR max number of clients|DENIED )/.test(error);
}

/** It wants a login, or another one. */
export function wantsLogin(error: string): boolean {
  return /^(?:NOAUTH|WRONGPASS) /.test(error);
}

/** It will answer otherwise in a while, by itself: it runs a script, or loads its data. */
export function passesByItself(error: string): boolean {
  return /^(?:BUSY|LOADING) /.test(error);
}

/** The user may not send this, by the ACL or by `rename-command`, or the server is too old to know it. */
export function isForbidden(error: string): boolean {
  return /^NOPERM|unknown (?:sub)?command/i.test(error);
}

/** RESTORE or MIGRATE have found that the target has the key already. */
export function isBusyKey(error: string): boolean {
  return /\bBUSYKEY\b/.test(error);
}
