import { type MigrateTurns, OwnTurns } from '../../rebalance/migrate-turns.js';
import type { Rings } from '../../ring/rings.js';
import { systemTimers, type Timers } from '../../time/timers.js';
import type { Claim } from '../state/fleet.js';
import type { ClaimRecords } from '../store/ring-store.js';

const JOB = 'migrate';
/** How soon another proxy that waits for its turn asks again. */
const AGAIN_MS = 50;

export interface FleetTurnsPorts {
  memberId(): string;
  readonly claims: Pick<ClaimRecords, 'claim' | 'release'>;
  isStopped(): boolean;
}

/**
 * The turns of all proxies: where keys go from A to B and from B to A, two MIGRATEs of different proxies would let both
 * nodes stand still, each waiting for the other, until they give up.
 */
export class FleetTurns implements MigrateTurns {
  readonly #ports: FleetTurnsPorts;
  readonly #timers: Pick<Timers, 'after'>;
  readonly #own = new OwnTurns();

  constructor(ports: FleetTurnsPorts, timers: Pick<Timers, 'after'> = systemTimers) {
    this.#ports = ports;
    this.#timers = timers;
  }

  async take(): Promise<() => void> {
    const end = await this.#own.take();
    const { claims, memberId, isStopped } = this.#ports;
    let claim: Claim | null = null;
    while (claim === null && !isStopped()) {
      // A store that does not answer lets nobody begin.
      claim = await claims.claim(JOB, memberId(), 'quick').catch(() => null);
      if (claim === null) await new Promise<void>((resolve) => this.#timers.after(AGAIN_MS, resolve));
    }
    return () => {
      if (claim === null) end();
      // Its lease ends it, should that fail. Others have their turn first: they ask more often than this.
      else
        void claims
          .release(claim)
          .catch(() => {})
          .then(() => this.#timers.after(2 * AGAIN_MS, end));
    };
  }
}

/** Whether a node that gives keys gets some, too: without one, none waits for another that waits. */
export function isCrosswise(rings: Rings): boolean {
  const sources = [...rings.sources()];
  return sources.some((source) => sources.some((other) => rings.targetsOf(other).has(source)));
}
