/**
 * Ends clients that look like an attack. A web page can have its reader's browser send a POST to any port, whose body
 * may be lines that are commands (cross-protocol scripting). As in Redis, its first line, `POST …`, or the header
 * `Host:` end the connection before the body is read.
 */
import { args } from '../../../resp/request-framer.js';
import { type AttackEvent, clientAttack } from '../../events.js';
import type { Clock } from '../../measure/clock.js';
import { TAKEN } from '../../request/verdict.js';
import type { ClientConnection } from '../../session/client-connection.js';

const QUIET_MS = 60_000;

export class Guard {
  readonly #clock: Clock;
  #toldAt = Number.NEGATIVE_INFINITY;
  #clients = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether what is no command is a line of a web page's request. */
  looksLikeHttp(source: Buffer): boolean {
    const start = args.start[0] as number;
    const end = args.end[0] as number;
    if (end - start !== 4 && end - start !== 5) return false;
    const name = source.toString('latin1', start, end).toLowerCase();
    return name === 'post' || name === 'host:';
  }

  /** Ends the client. */
  end(client: ClientConnection): typeof TAKEN {
    const reason = 'sent POST or Host: as a browser does for a web page, and was closed';
    this.tell(client.id, client.address, reason);
    client.close(reason);
    return TAKEN;
  }

  /** Tells of a client, or counts it for the next time: whoever attacks must not fill the log. */
  tell(client: number, address: string, reason: string): void {
    this.#clients++;
    const { now } = this.#clock;
    if (now - this.#toldAt < QUIET_MS || !clientAttack.hasSubscribers) return;
    const event: AttackEvent = { client, address, reason, clients: this.#clients };
    this.#toldAt = now;
    this.#clients = 0;
    clientAttack.publish(event);
  }
}
