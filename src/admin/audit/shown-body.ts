/** A request's body, as it may be written down. */

const MOST_BODY = 1024;
const SECRET = /password|secret|passphrase/i;

/** @returns JSON in visible ASCII, with `***` for secrets, cut where it is long; null: there is none */
export function shownBody(body: unknown): string | null {
  if (body === undefined || body === null) return null;
  const text = JSON.stringify(body, (name, value: unknown) =>
    SECRET.test(name) && value !== null && value !== undefined ? '***' : value,
  );
  const ascii = text.replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return ascii.length > MOST_BODY ? `${ascii.slice(0, MOST_BODY)}...` : ascii;
}

/** Whether a body, or what stands behind the question mark, says that nothing is to be done. */
export function isDryRun(body: unknown, url: string): boolean {
  if (typeof body === 'object' && body !== null && Reflect.get(body, 'dryRun') === true) return true;
  return new URLSearchParams(url.split('?')[1] ?? '').get('dryRun') === 'true';
}
