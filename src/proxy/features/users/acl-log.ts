/** What was denied lately (ACL LOG): by rights, and for a wrong password. As Redis has it, the same denials are one entry. */
import type { AclLogEntry, DenialContext, DenialReason } from '../../peers/users.js';
import type { ClientConnection } from '../../session/client-connection.js';

export type { AclLogEntry, DenialContext, DenialReason } from '../../peers/users.js';

/** As Redis has it by default (`acllog-max-len`). */
const MOST_ENTRIES = 128;
/** So many of the latest are looked at for one that is the same. */
const MOST_COMPARED = 10;
const GROUPED_MS = 60_000;
/** Of a key or a channel that was denied: clients choose its length. */
const MOST_OBJECT_CHARACTERS = 512;

export class AclLog {
  readonly #describe: (client: ClientConnection) => string;
  /** The latest one comes first. */
  #entries: AclLogEntry[] = [];

  /** @param describe a client in a line, as CLIENT LIST has it */
  constructor(describe: (client: ClientConnection) => string) {
    this.#describe = describe;
  }

  add(client: ClientConnection, reason: DenialReason, context: DenialContext, object: string, username: string): void {
    const now = Date.now();
    const shown = object.slice(0, MOST_OBJECT_CHARACTERS);
    const at = this.#entries
      .slice(0, MOST_COMPARED)
      .findIndex(
        (entry) =>
          entry.reason === reason &&
          entry.context === context &&
          now - entry.at <= GROUPED_MS &&
          entry.object === shown &&
          entry.username === username,
      );
    const known = at < 0 ? [] : this.#entries.splice(at, 1);
    const count = 1 + (known[0]?.count ?? 0);
    const clientInfo = this.#describe(client);
    this.#entries.unshift({ count, reason, context, object: shown, username, at: now, clientInfo });
    if (this.#entries.length > MOST_ENTRIES) this.#entries.pop();
  }

  list(): readonly AclLogEntry[] {
    return this.#entries;
  }

  reset(): void {
    this.#entries = [];
  }
}
