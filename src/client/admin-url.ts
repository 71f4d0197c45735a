import { adminError } from './own-errors.js';

/** Where a proxy serves its admin API unless it is told otherwise. */
export const DEFAULT_ADMIN = 'http://127.0.0.1:6390';

/** Where something listens everywhere, it is called on this machine. */
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };

/**
 * The URL of an admin API, of whatever `serve` takes as the address at which it serves that: so that one
 * RINGPROXY_ADMIN may serve both.
 * @param given its URL, or HOST:PORT
 * @throws AdminError when it is none, or the API is off
 */
export function adminUrl(given: string): string {
  if (given === 'off') throw adminError('ADMIN_URL', "the admin API is off (admin: 'off')");
  const url = isHostPort(given) ? `http://${given}` : given;
  const called = url.replace(/^(https?:\/\/)(0\.0\.0\.0|\[::\])(?=[:/]|$)/, (_all, scheme: string, host: string) => {
    return `${scheme}${EVERYWHERE[host] ?? host}`;
  });
  if (!/^https?:\/\/[^/]+/.test(called) || !URL.canParse(called)) {
    throw adminError('ADMIN_URL', `'${given}' is not a URL`);
  }
  return called.replace(/\/+$/, '');
}

function isHostPort(text: string): boolean {
  return /^([^\s/:]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(text);
}
