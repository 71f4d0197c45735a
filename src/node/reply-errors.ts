/**
 * What an error reply of a node means, where the proxy decides something by it. A node's errors have a code as their
 * first word; for what only older versions of Redis, or other servers, say under `ERR`, there is nothing but the text.
 */

const WRONG_TYPE = Buffer.from('-WRONGTYPE');

/** The key that a command was asked of is of another type. @param reply whole, as it came */
export function isWrongType(reply: Uint8Array): boolean {
  return Buffer.compare(reply.subarray(0, WRONG_TYPE.length), WRONG_TYPE) === 0;
}

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

/** It could not reach another node that it needs: the target of a MIGRATE, or enough replicas. */
export function missesAnother(error: string): boolean {
  return /^(?:IOERR|NOREPLICAS) /.test(error);
}

/** A source of MIGRATE has no connection to the target: it has sent nothing. Refused, not answered, or not let in by TLS. */
export function saysNotConnected(error: string): boolean {
  return /^IOERR error or timeout connecting /.test(error);
}

/** @returns what the target of a MIGRATE has answered, where the source hands that on; otherwise the error as it is */
export function saidByTarget(error: string): string {
  return error.replace(/^ERR Target instance replied with error: /, '');
}

/** The server is too old for it, or `rename-command` hides it. */
export function isUnknownCommand(error: string): boolean {
  return /unknown (?:sub)?command/i.test(error);
}

/** The user may not send this, by the ACL or since the server does not know it. */
export function isForbidden(error: string): boolean {
  return error.startsWith('NOPERM') || isUnknownCommand(error);
}

/**
 * Why a node does not let a user send a command: `right`, its ACL does not have it; `keys`, it has it, but not for these
 * keys or channels; `unknown`, the server does not know it, whoever asks.
 */
export type Refusal = 'right' | 'keys' | 'unknown';

/** @returns null: the error is about something else */
export function refusalIn(error: string): Refusal | null {
  if (isUnknownCommand(error)) return 'unknown';
  if (!isForbidden(error)) return null;
  return / to access /.test(error) ? 'keys' : 'right';
}

/** A script runs, and calls what its user may not send, or what the server does not know. */
export function saysScriptMayNot(error: string): boolean {
  return /ACL failure in script|The user executing the script|Unknown Redis command called from/i.test(error);
}

/** It lives, and cannot do its work just now, or not for this user. */
export function provesAlive(error: string): boolean {
  return passesByItself(error) || isForbidden(error) || error.startsWith('MASTERDOWN ');
}

/** It was asked to run a function without letting it write, and the function may (FCALL_RO). */
export function saysCodeMayWrite(error: string): boolean {
  return /^ERR Can ?not execute a script with write flag/i.test(error);
}

/** RENAME has found nothing to rename. */
export function saysNoSuchKey(error: string): boolean {
  return /^ERR no such key/.test(error);
}

/** The stream has no such group, or is not there. */
export function saysNoGroup(error: string): boolean {
  return error.startsWith('NOGROUP ');
}

/** It writes its file already, or does something else by a process of its own: SAVE and BGSAVE wait for that. */
export function saysSaving(error: string): boolean {
  return /in progress|child process/i.test(error);
}

/** RESTORE or MIGRATE have found that the target has the key already. */
export function saysBusyKey(error: string): boolean {
  return /\bBUSYKEY\b/.test(error);
}
