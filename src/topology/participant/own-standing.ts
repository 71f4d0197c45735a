/** This proxy's right to speak to nodes, as its store knows it. */
import { setMaxListeners } from 'node:events';
import type { ProxyStanding, Ruling } from '../../node/standing.js';
import { monotonicNow } from '../../time/monotonic.js';
import { LATE, within } from '../../time/within.js';
import { mayCarry } from '../state/fleet.js';
import type { Consistency } from '../state/ring-state.js';
import type { Standing as StoredStanding } from '../store/ring-store.js';

export interface StandingPorts {
  readonly store: Pick<StoredStanding, 'validUntil' | 'isKnownMember'>;
  /** Of the ring, as far as it is known. */
  consistency(): Consistency;
  /** The store says, each time that it is asked, that this proxy does not belong to the fleet. */
  onFencedOff(): void;
}

/** Less than a node may take to be connected to. Milliseconds. */
const AVAILABLE_PATIENCE_MS = 300;

export class OwnStanding implements ProxyStanding {
  readonly #ports: () => StandingPorts;
  #id: string;
  /** Null: this proxy counts no more, under the id that it has. */
  #inForce: AbortController | null = newController();
  #revoked: AbortSignal;
  #reading: Promise<unknown> = Promise.resolve();
  /** What is about to be read: whoever asks until then can go by it. */
  #next: Promise<Ruling> | null = null;

  /** @param ports is called for the first time when a node is connected to */
  constructor(id: string, ports: () => StandingPorts) {
    this.#id = id;
    this.#ports = ports;
    this.#revoked = this.#inForce?.signal ?? AbortSignal.abort();
  }

  get id(): string {
    return this.#id;
  }

  get isLone(): boolean {
    return this.#ports().store.validUntil === Number.POSITIVE_INFINITY;
  }

  get revoked(): AbortSignal {
    return this.#revoked;
  }

  /** Until when the id of now may speak without asking, by `monotonicNow`. */
  get validUntil(): number {
    return this.#inForce === null ? Number.NEGATIVE_INFINITY : this.#ports().store.validUntil;
  }

  holds(id: string): boolean {
    return id === this.#id && monotonicNow() < this.validUntil;
  }

  /** A read that is under way may have come before the node accepted the name: so the next one counts, for all who ask. */
  ask(id: string): Promise<Ruling> {
    if (!this.#isInForce(id)) return Promise.resolve('fenced-off');
    this.#next ??= this.#reading.then(() => {
      this.#next = null;
      const reading = this.#read();
      this.#reading = reading;
      return reading;
    });
    return this.#next.then((ruling) => (this.#isInForce(id) ? ruling : 'fenced-off'));
  }

  /** This proxy was fenced off, or is not known any more: its id counts no more. */
  revoke(): void {
    this.#inForce?.abort();
    this.#inForce = null;
  }

  /** It is registered under this id. */
  renew(id: string): void {
    this.#inForce?.abort();
    this.#id = id;
    this.#inForce = newController();
    this.#revoked = this.#inForce.signal;
  }

  #isInForce(id: string): boolean {
    return id === this.#id && this.#inForce !== null;
  }

  async #read(): Promise<Ruling> {
    const { store, consistency, onFencedOff } = this.#ports();
    const id = this.#id;
    const reading = store.isKnownMember(id).catch(() => null);
    // Where no answer is as good as a yes, nobody is kept waiting for it.
    const answer = consistency() === 'available' ? await within(AVAILABLE_PATIENCE_MS, reading) : await reading;
    const known = answer === LATE ? null : answer;
    if (id !== this.#id) return 'fenced-off';
    if (mayCarry(monotonicNow() < this.validUntil, known, consistency())) return 'speak';
    if (known !== false) return 'unsure';
    onFencedOff();
    return 'fenced-off';
  }
}

function newController(): AbortController {
  const controller = new AbortController();
  // A listener for each connection.
  setMaxListeners(0, controller.signal);
  return controller;
}
