/**
 * AUTH in transactions, where clients are counted over several processes. EXEC waits in front of the transaction until it
 * is known which users the client may become in it, and holds these places until it has ended.
 */
import { COMPLETE, RequestFramer, readAside } from '../../../resp/request-framer.js';
import type { ClientConnection } from '../../session/client-connection.js';
import type { ClientLimits } from '../../session/limits/client-limits.js';
import { argumentBytes } from '../../session/words.js';
import type { Authentication } from './authentication.js';

interface Login {
  readonly name: string;
  readonly password: Buffer;
}

export class QueuedLogins {
  readonly #authentication: Authentication;
  readonly #limits: ClientLimits;

  constructor(authentication: Authentication, limits: ClientLimits) {
    this.#authentication = authentication;
    this.#limits = limits;
  }

  /** @param frames the AUTHs in its transaction @returns false when the client waits until its places are known */
  reserve(client: ClientConnection, frames: readonly Buffer[]): boolean {
    const seats = this.#limits.reservedBy(client) ?? this.#ask(client, frames);
    if (seats === null || seats.areKnown) return true;
    client.suspend();
    return false;
  }

  /** The client's transaction has ended, or does not run. */
  release(client: ClientConnection): void {
    this.#limits.release(client);
  }

  #ask(client: ClientConnection, frames: readonly Buffer[]) {
    const logins = frames.map(loginOf).filter((login) => login !== null);
    const counted = logins.filter(({ name }) => this.#limits.isCountedElsewhere(name));
    if (counted.length === 0) return null;
    // Who does not know the password takes no place.
    const able = counted.filter(({ name, password }) => this.#authentication.mayLogIn(client, name, password));
    return this.#limits.reserve(client, new Set(able.map(({ name }) => name)));
  }
}

/** @param frame AUTH, as it was queued @returns null: it is none that can succeed */
function loginOf(frame: Buffer): Login | null {
  const framer = new RequestFramer({
    maxArgs: frame.length,
    maxBulkLength: frame.length,
    maxInlineLength: frame.length,
    authenticated: true,
  });
  return readAside(() => {
    if (framer.next(frame, 0, frame.length) !== COMPLETE) return null;
    const [, first, second, further] = argumentBytes(framer);
    if (first === undefined || further !== undefined) return null;
    return second === undefined ? { name: 'default', password: first } : { name: String(first), password: second };
  });
}
