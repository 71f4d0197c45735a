/** A request's URL and body, as they may be written down: without what opens doors. */

const MOST_BODY = 1024;
const MOST_URL = 512;
/** Names of what is secret, also where they are misspelt or no field of ours. */
const SECRET = /passw|passphrase|secret|token|credential|authorization|api.?key/i;
/** A login in an address: `user:password@host`. */
const LOGIN = /([^\s/"'@:?&=]*):[^\s/"'@]+@/g;
const HIDDEN = '***';
/** In the place of a body that no function can walk through: its call is noted all the same. */
const TOO_DEEP = '"nested too deeply to be shown"';

/** @returns JSON in visible ASCII, with `***` for secrets, cut where it is long; null: there is none */
export function shownBody(body: unknown): string | null {
  if (body === undefined || body === null) return null;
  return clipped(inAscii(withoutSecrets(body)), MOST_BODY);
}

function withoutSecrets(body: unknown): string {
  try {
    return JSON.stringify(body, (name, value: unknown) => {
      if (SECRET.test(name) && value !== null && value !== undefined) return HIDDEN;
      // No more of it is shown, and looking for logins takes the square of its length.
      return typeof value === 'string' ? withoutLogins(value.slice(0, MOST_BODY)) : value;
    });
  } catch (error) {
    // The stack is used up.
    if (error instanceof RangeError) return TOO_DEEP;
    throw error;
  }
}

/** @param url path and query @returns it in visible ASCII, with `***` for secrets, cut where it is long */
export function shownUrl(url: string): string {
  const [path = '', ...queries] = url.slice(0, 2 * MOST_URL).split('?');
  const query = queries.join('?').split('&').map(shownWord).join('&');
  return clipped(inAscii(withoutLogins(path) + (queries.length === 0 ? '' : `?${query}`)), MOST_URL);
}

/** Whether a body, or what stands behind the question mark, says that nothing is to be done. */
export function isDryRun(body: unknown, url: string): boolean {
  if (typeof body === 'object' && body !== null && Reflect.get(body, 'dryRun') === true) return true;
  return new URLSearchParams(url.split('?')[1] ?? '').get('dryRun') === 'true';
}

/** @param word `name=value`, of which either may be escaped */
function shownWord(word: string): string {
  const [name = ''] = word.split('=');
  // What cannot be read is not shown: it might be anything.
  const plain = unescaped(word);
  if (plain === null) return HIDDEN;
  if (SECRET.test(unescaped(name) ?? name)) return `${name}=${HIDDEN}`;
  return withoutLogins(plain) === plain ? word : withoutLogins(plain);
}

function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function withoutLogins(text: string): string {
  return text.replace(LOGIN, `$1:${HIDDEN}@`);
}

function inAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function clipped(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
