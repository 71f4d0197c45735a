/**
 * What this proxy sees of its fleet: what the store says of members, claims and the ring, read when it tells of
 * something new. The page, the metrics, INFO and the events are made of it; nobody decides by it.
 */

import type { Timers } from '../../time/timers.js';
import type { Claim, FleetMember } from '../state/fleet.js';
import type { Consistency } from '../state/ring-state.js';
import type { RingStore, StoredRing } from '../store/ring-store.js';

/** Time passes without anybody telling: so often is looked whether the own lease has run out. */
const LOOK_MS = 1000;

/** As of a moment. */
export interface SeenFleet {
  /** This proxy's id. */
  readonly self: string;
  /** The last record that was told. */
  readonly ring: StoredRing | null;
  readonly members: readonly FleetMember[];
  readonly claims: readonly Claim[];
  readonly consistency: Consistency;
  readonly isReachable: boolean;
  /** The store answers, and has no ring any more. */
  readonly isRingGone: boolean;
  /** Milliseconds for which this proxy's lease holds for certain, 0 when it has run out; Infinity: it needs none. */
  readonly leaseLeft: number;
}

export interface SightPorts {
  readonly store: Pick<RingStore, 'load' | 'watch' | 'members' | 'claims' | 'validUntil' | 'isReachable'>;
  /** This proxy's id: another one once it had to register anew. */
  self(): string;
  /** The clock of `validUntil`, in milliseconds. */
  monotonicNow(): number;
  readonly timers: Pick<Timers, 'every'>;
  /** Told of each record of the ring, in order. */
  onRecord(ring: StoredRing): void;
  /** Told whenever something may be seen differently. */
  onSeen(seen: SeenFleet): void;
}

export class FleetSight {
  readonly #ports: SightPorts;
  #ring: StoredRing | null = null;
  #members: readonly FleetMember[] = [];
  #claims: readonly Claim[] = [];
  #stopWatching: () => void = () => {};
  #stopLooking: () => void = () => {};
  #isRingGone = false;
  #isReading = false;
  #isStale = false;
  #closed = false;

  constructor(ports: SightPorts) {
    this.#ports = ports;
  }

  get now(): SeenFleet {
    const { store, self, monotonicNow } = this.#ports;
    return {
      self: self(),
      ring: this.#ring,
      members: this.#members,
      claims: this.#claims,
      consistency: this.#ring?.state.consistency ?? 'strict',
      isReachable: store.isReachable,
      isRingGone: this.#isRingGone,
      leaseLeft: Math.max(0, store.validUntil - monotonicNow()),
    };
  }

  /**
   * Looks from now on, and has looked once when this returns, if the store answers.
   * @param known what is served although the store is known not to answer: then nothing is waited for; else null
   */
  async open(known: StoredRing | null): Promise<void> {
    const { store, timers } = this.#ports;
    if (store.validUntil !== Number.POSITIVE_INFINITY) {
      this.#stopLooking = timers.every(LOOK_MS, () => this.#told());
    }
    this.#stopWatching = store.watch((event) => {
      if (event.kind === 'ring') this.#take(event.ring);
      if (event.kind === 'members' || event.kind === 'claims') void this.#read();
      else if (event.kind !== 'moves' && event.kind !== 'groups') this.#told();
    });
    if (known !== null) {
      this.#take(known);
      return;
    }
    const ring = await store.load().catch(() => null);
    if (ring !== null) this.#take(ring);
    await this.#read();
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#stopLooking();
  }

  #take(ring: StoredRing): void {
    if (this.#ring !== null && ring.revision <= this.#ring.revision) return;
    this.#ring = ring;
    this.#ports.onRecord(ring);
  }

  /** One read at a time; what is told meanwhile is read by one more. */
  async #read(): Promise<void> {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale && !this.#closed) {
      this.#isStale = false;
      await this.#readOnce();
      this.#told();
    }
    this.#isReading = false;
  }

  async #readOnce(): Promise<void> {
    const { store } = this.#ports;
    try {
      const [members, claims] = await Promise.all([store.members(), store.claims()]);
      // A ring that is recorded has members: they have made it.
      this.#isRingGone = members.length === 0 && this.#ring !== null && (await store.load()) === null;
      // Those that are known are served by it yet.
      if (this.#isRingGone) return;
      this.#members = members;
      this.#claims = claims;
    } catch {
      // It stays as it was last seen. That the store is out of reach, it tells by itself; and it tells when it is back.
    }
  }

  #told(): void {
    if (!this.#closed) this.#ports.onSeen(this.now);
  }
}
