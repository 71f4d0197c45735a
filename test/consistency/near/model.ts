/**
 * What clients of near groups may be answered. Each key has one writer, which numbers its versions, so that of two
 * replies everybody can say which is the later one.
 */

/** Redis keeps a key until the millisecond of its end is over. */
const SLACK_MS = 3;

export class Model {
  /** By key: acknowledged versions, rising, and when each was acknowledged at the latest. */
  readonly #acknowledged = new Map<string, { version: number; at: number }[]>();
  /** By key and version: when it is gone at the latest. */
  readonly #ends = new Map<string, number>();
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
  }
}

/** What one connection has seen. */
export class Sight {
  readonly #who: string;
  readonly #model: Model;
  readonly #least = new Map<string, number>();

  constructor(who: string, model: Model) {
    this.#who = who;
    this.#model = model;
  }

  /** Its own write was acknowledged. */
  wrote(key: string, version: number): void {
    this.#least.set(key, Math.max(version, this.#least.get(key) ?? 0));
  }

  /** @param version 0: there was nothing @param how the command, for people */
  read(key: string, version: number, sentAt: number, how: string, expires: boolean): void {
    const least = this.#least.get(key) ?? 0;
    if (version === 0) {
      // What it has seen is over, and does not come back.
      if (expires && least > 0 && Number.isInteger(least)) this.#least.set(key, least + 0.5);
      else if (!expires && least > 0) this.#tell(key, how, 'nothing', least);
      return;
    }
    this.#model.read(this.#who, key, version, sentAt);
    if (version < least) this.#tell(key, how, `version ${version}`, least);
    else this.#least.set(key, version);
  }

  #tell(key: string, how: string, found: string, least: number): void {
    this.#model.violations.push(`${this.#who}: ${how} ${key} had ${found} after ${least}`);
  }
}
