/**
 * What clients of near groups may be answered. Each key has one writer, which numbers its versions, so that of two
 * replies everybody can say which is the later one.
 */

import { TRUST_MS } from '../../../src/proxy/features/near/near-nodes.js';

/** Redis keeps a key until the millisecond of its end is over. */
const SLACK_MS = 3;

/** A FLUSHALL. Infinity: that is not so yet, and may become so. */
export interface Flush {
  readonly sentAt: number;
  /** Whether it has run or not. */
  answeredAt: number;
  acknowledgedAt: number;
}

export class Model {
  /** By key: acknowledged versions, rising, and when each was acknowledged at the latest. */
  readonly #acknowledged = new Map<string, { version: number; at: number }[]>();
  /** By key and version: when it is gone at the latest. */
  readonly #ends = new Map<string, number>();
  readonly #flushes: Flush[] = [];
  readonly violations: string[] = [];
  /** How long a version was read after a later one was acknowledged. Milliseconds. */
  readonly late: number[] = [];
  reads = 0;
  writes = 0;

  /** @param ttl milliseconds; 0: it stays */
  acknowledged(key: string, version: number, ttl: number, at: number): void {
    this.writes++;
    const known = this.#acknowledged.get(key) ?? [];
    this.#acknowledged.set(key, known);
    known.push({ version, at });
    if (ttl > 0) this.#ends.set(`${key} ${version}`, at + ttl);
  }

  /** FLUSHALL is sent. */
  flush(sentAt: number): Flush {
    const flush = { sentAt, answeredAt: Number.POSITIVE_INFINITY, acknowledgedAt: Number.POSITIVE_INFINITY };
    this.#flushes.push(flush);
    return flush;
  }

  /** Whether what was there at that time may have been flushed since. */
  mayBeFlushed(since: number): boolean {
    return this.#flushes.some(({ answeredAt }) => answeredAt >= since);
  }

  /** Whether the version was there before then, and so is gone with a FLUSHALL that was sent then. */
  isFrom(key: string, version: number, before: number): boolean {
    const known = this.#acknowledged.get(key)?.find((one) => one.version === version);
    return known !== undefined && known.at < before;
  }

  /** Somebody was answered this version. @param sentAt when the question was sent, or later */
  read(who: string, key: string, version: number, sentAt: number): void {
    this.reads++;
    const end = this.#ends.get(`${key} ${version}`);
    if (end !== undefined && sentAt > end + SLACK_MS) {
      this.violations.push(
        `${who}: ${key} was over for ${(sentAt - end).toFixed(1)} ms when version ${version} was read`,
      );
    }
    const later = this.#acknowledged.get(key)?.find((known) => known.version > version);
    if (later !== undefined && sentAt > later.at) this.late.push(sentAt - later.at);
    for (const flush of this.#flushes) {
      if (sentAt <= flush.acknowledgedAt || !this.isFrom(key, version, flush.sentAt)) continue;
      this.late.push(sentAt - flush.acknowledgedAt);
    }
  }
}

/** What one connection has seen. */
export class Sight {
  readonly #who: string;
  readonly #model: Model;
  readonly #least = new Map<string, number>();
  /** When it has seen that. */
  readonly #seenAt = new Map<string, number>();
  /** When it sent its last FLUSHALL that was acknowledged. */
  #flushedAt = Number.NEGATIVE_INFINITY;

  constructor(who: string, model: Model) {
    this.#who = who;
    this.#model = model;
  }

  /** Its own write was acknowledged. */
  wrote(key: string, version: number, sentAt: number): void {
    this.#see(key, Math.max(version, this.#least.get(key) ?? 0), sentAt);
  }

  /** Its own FLUSHALL was acknowledged. */
  flushed(sentAt: number): void {
    this.#flushedAt = sentAt;
  }

  /** @param version 0: there was nothing @param how the command, for people */
  read(key: string, version: number, sentAt: number, how: string, expires: boolean): void {
    const least = this.#least.get(key) ?? 0;
    if (version === 0) {
      // What it has seen is over, and does not come back.
      if (least === 0 || !Number.isInteger(least)) return;
      // It may have been read for a while after that.
      const mayBeGone = expires || this.#model.mayBeFlushed((this.#seenAt.get(key) ?? 0) - TRUST_MS);
      if (mayBeGone) this.#see(key, least + 0.5, sentAt);
      else this.#tell(key, how, 'nothing', least);
      return;
    }
    if (this.#model.isFrom(key, version, this.#flushedAt)) this.#tell(key, how, `version ${version}`, 'its FLUSHALL');
    this.#model.read(this.#who, key, version, sentAt);
    if (version < least) this.#tell(key, how, `version ${version}`, least);
    else this.#see(key, version, sentAt);
  }

  #see(key: string, version: number, sentAt: number): void {
    this.#least.set(key, version);
    this.#seenAt.set(key, sentAt);
  }

  #tell(key: string, how: string, found: string, least: number | string): void {
    this.#model.violations.push(`${this.#who}: ${how} ${key} had ${found} after ${least}`);
  }
}
