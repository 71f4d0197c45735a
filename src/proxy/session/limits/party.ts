/** Clients that are counted together: those of one address, or of one user. */
import { Bucket } from '../../../time/bucket.js';
import { hasRates, type Quota } from '../../users/quotas.js';

/** Which rate is exceeded. */
export type Rate = 'commands' | 'bytes';

/**
 * `slow`: what is beyond a rate is not read for a while. `refuse`: commands are answered an error then; only who sends
 * on all the same is not read.
 */
export type LimitMode = 'slow' | 'refuse';

/** Refusals a second that are answered at once: beyond, whoever does not listen to them is slowed down. */
const REFUSALS = 10_000;

/** A client, as those are who may have to wait. */
export interface LimitedClient {
  /** It is not to wait any longer. */
  resumeSoon(): void;
  readonly closed: boolean;
}

/** A party with clients, or one that has not recovered yet. */
export class Party {
  readonly key: string;
  /** Clients in this process. */
  clients = 0;
  /** Clients in other processes of the proxy, which have their share of the rates. */
  elsewhere = 0;
  quota: Quota;
  readonly waiting = new Set<LimitedClient>();
  #commands: Bucket | null = null;
  #bytes: Bucket | null = null;
  #refusals: Bucket | null = null;

  constructor(key: string, quota: Quota) {
    this.key = key;
    this.quota = quota;
  }

  get hasRates(): boolean {
    return hasRates(this.quota);
  }

  charge(now: number, commands: number, bytes: number): void {
    const { share } = this;
    if (this.quota.commands > 0) {
      const rate = this.quota.commands * share;
      this.#commands ??= new Bucket(rate, now);
      charge(this.#commands, rate, now, commands);
    }
    if (this.quota.bytes > 0) {
      const rate = this.quota.bytes * share;
      this.#bytes ??= new Bucket(rate, now);
      charge(this.#bytes, rate, now, bytes);
    }
  }

  /** A command was refused. */
  chargeRefusal(now: number): void {
    this.#refusals ??= new Bucket(REFUSALS, now);
    charge(this.#refusals, REFUSALS, now, 1);
  }

  /** @returns which rate it is beyond; null: none */
  over(now: number): Rate | null {
    const { quota, share } = this;
    if (isBelow(this.#commands, quota.commands * share, 0, now)) return 'commands';
    if (isBelow(this.#bytes, quota.bytes * share, 0, now)) return 'bytes';
    return null;
  }

  /** @returns which rate it is so far beyond that its clients are not read; null: none */
  mustWait(mode: LimitMode, now: number): Rate | null {
    if (mode === 'slow') return this.over(now);
    // What is refused costs nothing of a rate; a debt has who sent a large value, or what is never refused.
    const { quota, share } = this;
    if (isBelow(this.#commands, quota.commands * share, 1, now)) return 'commands';
    if (isBelow(this.#bytes, quota.bytes * share, 1, now)) return 'bytes';
    return isBelow(this.#refusals, REFUSALS, 0, now) ? 'commands' : null;
  }

  /** Whoever begins anew would not have more. */
  hasRecovered(now: number): boolean {
    const { quota, share } = this;
    return isFull(this.#commands, quota.commands * share, now) && isFull(this.#bytes, quota.bytes * share, now);
  }

  /** The part of its rates that this process may use: that of its clients. */
  get share(): number {
    return this.elsewhere === 0 || this.clients === 0 ? 1 : this.clients / (this.clients + this.elsewhere);
  }
}

/** A second's worth is what may be done at once. */
function charge(bucket: Bucket, rate: number, now: number, amount: number): void {
  bucket.level(rate, rate, now);
  bucket.take(amount);
}

/** @param seconds of debt that are allowed */
function isBelow(bucket: Bucket | null, rate: number, seconds: number, now: number): boolean {
  return rate > 0 && bucket !== null && bucket.level(rate, rate, now) < -rate * seconds;
}

function isFull(bucket: Bucket | null, rate: number, now: number): boolean {
  return rate === 0 || bucket === null || bucket.level(rate, rate, now) >= rate;
}
