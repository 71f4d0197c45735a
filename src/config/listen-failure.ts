import { messageOf, RingproxyError, systemCode } from '../errors.js';

/**
 * Why the proxy cannot listen, and what to do.
 * @param setting that says where
 * @param error the system's
 */
export function listenFailure(setting: string, address: string, error: unknown): RingproxyError {
  const message = messageOf(error);
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: `another process listens there: end it, or choose another address with --${setting}`,
    EACCES: `this user may not listen there: choose a port above 1023 with --${setting}`,
    EADDRNOTAVAIL: `this machine has no such address: choose another with --${setting}`,
    ENOTFOUND: `the name does not resolve: choose another with --${setting}`,
  };
  return new RingproxyError(
    'LISTEN',
    `cannot listen on ${address} (${setting}): ${message}`,
    hints[systemCode(error)] ?? `choose another address with --${setting}`,
  );
}
