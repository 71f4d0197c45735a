/** Counts handshakes, and tells of those that failed: whoever fails often must not fill the log. */
import { type HandshakeFailedEvent, handshakeFailed } from '../events.js';
import type { Clock } from '../measure/clock.js';
import type { HandshakeCounts, HandshakeOutcome } from '../measure/handshake-counts.js';

/** One event of a kind in so many milliseconds. */
const QUIET_MS = 60_000;

interface Told {
  at: number;
  /** Since then. */
  clients: number;
}

export class Handshakes {
  readonly #counts: HandshakeCounts;
  readonly #clock: Clock;
  readonly #told = new Map<HandshakeOutcome, Told>();

  /** @param counts where they are counted */
  constructor(counts: HandshakeCounts, clock: Clock) {
    this.#counts = counts;
    this.#clock = clock;
  }

  succeeded(): void {
    this.#counts.ok++;
  }

  /** @param why what is wrong, and what to do: a sentence without an end */
  failed(outcome: HandshakeOutcome, address: string, why: string): void {
    this.#counts[outcome]++;
    // Balancers look in this way whether somebody listens.
    if (outcome === 'left') return;
    const told = this.#told.get(outcome) ?? { at: Number.NEGATIVE_INFINITY, clients: 0 };
    this.#told.set(outcome, told);
    told.clients++;
    const now = this.#clock.read();
    if (now - told.at < QUIET_MS || !handshakeFailed.hasSubscribers) return;
    const others = told.clients === 1 ? '' : ` (${told.clients} such clients since the last such line)`;
    const summary = `no TLS with client ${address}: it ${why}${others}`;
    const event: HandshakeFailedEvent = { address, outcome, reason: why, clients: told.clients, summary };
    told.at = now;
    told.clients = 0;
    handshakeFailed.publish(event);
  }
}
