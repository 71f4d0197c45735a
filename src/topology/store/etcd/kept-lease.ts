/** A lease that is renewed until it is ended, or lost. */
import { type EtcdClient, EtcdError, type Lease } from '../../../etcd/index.js';
import type { Timers } from '../../../time/timers.js';
import type { Clock } from './clock.js';
import type { EtcdParts } from './parts.js';

/** Renewed so often in its time: two renewals may fail. */
const RENEWALS = 2.5;
/** After a renewal that has failed. */
const RETRY_MS = 250;
const MOST_AT_ONE_ENDPOINT = 1500;
const END_PATIENCE = { total: 1000, each: 500 };

export interface LeaseListener {
  /** It holds for longer. @param revision of the member of etcd that has renewed it */
  renewed(revision: number): void;
  /** It could not be renewed in time: whether it still holds is not known. It may be renewed yet. */
  ranOut(): void;
  /** It is gone, and with it all keys that hung on it. */
  lost(): void;
}

export type LeaseParts = Pick<EtcdParts, 'timers' | 'clock'> & {
  readonly client: Pick<EtcdClient, 'keepAlive' | 'revoke'>;
};

export class KeptLease {
  readonly id: string;
  readonly #client: LeaseParts['client'];
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #listener: LeaseListener;
  #validUntil: number;
  #periodMs: number;
  /** Of the machine's clock of the day against the one that runs evenly, at the last renewal. */
  #shift: number;
  #isEnded = false;
  #isRenewing = false;
  #stopRenewal: () => void = () => {};
  #stopWarning: () => void = () => {};

  /** @param lease was just granted */
  constructor({ client, timers, clock }: LeaseParts, lease: Lease, listener: LeaseListener) {
    this.id = lease.id;
    this.#client = client;
    this.#timers = timers;
    this.#clock = clock;
    this.#listener = listener;
    this.#periodMs = lease.ttlMs / RENEWALS;
    this.#validUntil = lease.sentAt + lease.ttlMs;
    this.#shift = clock.wall() - clock.monotonic();
    this.#plan(this.#periodMs);
    this.#warn();
  }

  /**
   * Until when it holds for certain, by `monotonicNow`. A machine that was suspended has its even clock stand still
   * meanwhile, and etcd has not waited: so after a jump of the clock of the day nothing is certain until a renewal.
   */
  get validUntil(): number {
    if (this.#isEnded) return 0;
    const jump = Math.abs(this.#clock.wall() - this.#clock.monotonic() - this.#shift);
    if (jump <= MOST_JUMP_MS) return this.#validUntil;
    void this.#renew();
    return 0;
  }

  get isValid(): boolean {
    return this.#clock.monotonic() < this.validUntil;
  }

  /** It is renewed no more, and nothing is told of it. It runs out by itself. */
  end(): void {
    this.#isEnded = true;
    this.#stopRenewal();
    this.#stopWarning();
  }

  /** Ends it at once, where etcd can be reached. */
  async revoke(): Promise<void> {
    this.end();
    try {
      await this.#client.revoke(this.id, END_PATIENCE);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
    }
  }

  #plan(milliseconds: number): void {
    this.#stopRenewal();
    this.#stopRenewal = this.#timers.after(Math.max(0, milliseconds), () => void this.#renew());
  }

  /** Tells when it has run out. */
  #warn(): void {
    this.#stopWarning();
    const left = this.#validUntil - this.#clock.monotonic();
    this.#stopWarning = this.#timers.after(Math.max(0, left), () => this.#listener.ranOut());
  }

  async #renew(): Promise<void> {
    if (this.#isEnded || this.#isRenewing) return;
    this.#isRenewing = true;
    const each = Math.min(MOST_AT_ONE_ENDPOINT, this.#periodMs / 2);
    try {
      const renewed = await this.#client.keepAlive(this.id, { total: this.#periodMs, each });
      this.#isRenewing = false;
      if (this.#isEnded) return;
      if (renewed === null) {
        this.end();
        this.#listener.lost();
        return;
      }
      this.#periodMs = renewed.ttlMs / RENEWALS;
      this.#validUntil = renewed.sentAt + renewed.ttlMs;
      this.#shift = this.#clock.wall() - this.#clock.monotonic();
      this.#plan(renewed.sentAt + this.#periodMs - this.#clock.monotonic());
      this.#warn();
      this.#listener.renewed(renewed.revision);
    } catch (error) {
      this.#isRenewing = false;
      if (!(error instanceof EtcdError)) throw error;
      if (!this.#isEnded) this.#plan(RETRY_MS);
    }
  }
}

/** Clocks of the day are set by small steps all the time. */
const MOST_JUMP_MS = 1000;
