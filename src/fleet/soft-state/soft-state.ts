/** The soft state of one member of a fleet: its documents, what it knows of others, and the exchange with them. */
import type { Timers } from '../../time/timers.js';
import { HybridClock } from '../crdt/hybrid-clock.js';
import { type DocumentOptions, SoftDocument } from './document.js';
import { Exchange, type ExchangeOptions, type SoftStatePeers } from './exchange.js';
import { ExchangeCounters, type SoftStateFigures } from './figures.js';
import { Replica } from './replica.js';

export interface SoftStateOptions {
  /** This member's id. */
  readonly own: string;
  readonly peers: SoftStatePeers;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** From 0 up to, and without, 1. */
  readonly random: () => number;
  readonly exchange?: ExchangeOptions;
}

export class SoftState {
  /** Makes the stamps of what is written. */
  readonly clock: HybridClock;
  readonly #timers: Pick<Timers, 'now'>;
  readonly #counters = new ExchangeCounters();
  readonly #replica: Replica;
  readonly #exchange: Exchange;

  constructor({ own, peers, timers, wallNow, random, exchange }: SoftStateOptions) {
    this.#timers = timers;
    this.clock = new HybridClock(own, wallNow);
    const counters = this.#counters;
    this.#replica = new Replica({ own, counters, timers });
    this.#exchange = new Exchange({ replica: this.#replica, counters, peers, timers, random, wallNow }, exchange);
  }

  /** This member's id. */
  get own(): string {
    return this.#replica.own;
  }

  /** Adds a document, before anything is exchanged. */
  add<State>(options: DocumentOptions<State>): SoftDocument<State> {
    const document = new SoftDocument(options, this.own, this.clock);
    this.#replica.add(document);
    return document;
  }

  start(): void {
    this.#exchange.start();
  }

  stop(): void {
    this.#exchange.stop();
  }

  /**
   * Who is in the fleet, as the store has it: what those have said who are not goes.
   * @param ids with or without the own one
   */
  setMembers(ids: readonly string[]): void {
    this.#exchange.setMembers(ids);
  }

  /** This member has registered anew, under this id. */
  rename(own: string): void {
    this.clock.rename(own);
    this.#replica.rename(own);
  }

  /** What another member is answered. Never throws. @param body whatever it has sent @returns null: that is no question */
  answer(body: unknown): Buffer | null {
    return this.#exchange.answer(body);
  }

  figures(): SoftStateFigures {
    const now = this.#timers.now();
    let entries = 0;
    let bytes = 0;
    let tombstones = 0;
    for (const document of this.#replica.documents) {
      const size = document.size();
      entries += size.entries;
      tombstones += size.tombstones;
      bytes += document.bytes();
    }
    const lags = new Map<string, number>();
    for (const member of this.#replica.known.keys()) {
      const branch = this.#replica.branch(member);
      if (branch !== undefined && member !== this.own) lags.set(member, Math.max(0, now - branch.learnedAt) / 1000);
    }
    const { drifted, dropped } = { drifted: this.clock.refused, dropped: this.#replica.dropped };
    return { ...this.#counters, drifted, entries, tombstones, bytes, dropped, lags };
  }
}
