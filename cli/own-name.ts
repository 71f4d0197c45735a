/** Who runs the program, for the audit log of the proxy that is asked. */
import { hostname, userInfo } from 'node:os';

/** @returns `user@host` */
export function ownName(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // In a container the user may have no name.
    user = String(process.getuid?.() ?? 'user');
  }
  return `${user}@${hostname()}`;
}
