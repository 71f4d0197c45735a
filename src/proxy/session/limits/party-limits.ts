/**
 * How much clients that are counted together may do: connections, commands and bytes a second. Each process counts its
 * own clients; where there are several, each has a share of the rates by how many of these clients it has.
 */
import type { LimitCounts } from '../../measure/limit-counts.js';
import type { Quota } from '../../users/quotas.js';
import { type LimitedClient, type LimitMode, Party, type Rate } from './party.js';

/** How often it is looked whether debts are paid. Milliseconds. */
const WAKE_MS = 10;
/** Without clients a party is remembered while it has not recovered; so many of them at most. */
const MOST_RECOVERING = 65_536;
const FORGOTTEN_AT_ONCE = 4096;

export interface PartyRules {
  /** What clients may do that are counted under this key. */
  quotaOf(key: string): Quota;
  readonly mode: LimitMode;
}

export class PartyLimits {
  readonly #rules: PartyRules;
  readonly #now: () => number;
  readonly #parties = new Map<string, Party>();
  /** Those without clients, the oldest first. */
  readonly #recovering = new Map<string, Party>();
  readonly #waiting = new Set<Party>();
  /** Clients in other processes, where there are some. */
  readonly #elsewhere = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  readonly #counts: LimitCounts;

  /**
   * @param rules read when they are needed: they may become others (`refresh`)
   * @param counts counts how often each limit was reached
   * @param now milliseconds
   */
  constructor(rules: PartyRules, counts: LimitCounts, now: () => number) {
    this.#rules = rules;
    this.#counts = counts;
    this.#now = now;
  }

  /** Whether there are as many clients in this process as there may be. It is counted. */
  isFull(key: string): boolean {
    const most = this.#rules.quotaOf(key).clients;
    if (most === 0 || (this.#parties.get(key)?.clients ?? 0) < most) return false;
    this.refused();
    return true;
  }

  /** A client was turned away. */
  refused(): void {
    this.#counts.connections++;
  }

  /** One client more, also beyond what is allowed. @returns what it is counted by */
  enter(key: string): Party {
    const found = this.#parties.get(key) ?? this.#recovering.get(key);
    const party = found ?? new Party(key, this.#rules.quotaOf(key));
    this.#recovering.delete(key);
    this.#parties.set(key, party);
    party.clients++;
    party.elsewhere = this.#elsewhere.get(key) ?? 0;
    return party;
  }

  /** The client has gone. */
  leave(party: Party, client: LimitedClient): void {
    party.waiting.delete(client);
    party.clients--;
    if (party.clients > 0) return;
    this.#parties.delete(party.key);
    if (!party.hasRates) return;
    // Whoever comes back at once finds its debts, also those of what it has sent last.
    this.#recovering.set(party.key, party);
    if (this.#recovering.size <= MOST_RECOVERING) return;
    // Many at once: what was deleted at the head of a map is walked over by whoever looks for its first entry.
    let surplus = FORGOTTEN_AT_ONCE;
    for (const key of this.#recovering.keys()) {
      this.#recovering.delete(key);
      if (--surplus === 0) break;
    }
  }

  /** Other processes have so many clients that are counted under this key. */
  setElsewhere(key: string, clients: number): void {
    if (clients > 0) this.#elsewhere.set(key, clients);
    else this.#elsewhere.delete(key);
    const party = this.#parties.get(key);
    if (party !== undefined) party.elsewhere = clients;
  }

  /** Quotas may have become others. */
  refresh(): void {
    for (const party of [...this.#parties.values(), ...this.#recovering.values()]) {
      party.quota = this.#rules.quotaOf(party.key);
    }
  }

  /** Parties that are remembered. */
  get size(): number {
    return this.#parties.size + this.#recovering.size;
  }

  /** Called about once a second. */
  tick(): void {
    const now = this.#now();
    for (const [key, party] of this.#recovering) if (party.hasRecovered(now)) this.#recovering.delete(key);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** A client has had so much handled. */
  charge(party: Party, commands: number, bytes: number): void {
    party.charge(this.#now(), commands, bytes);
  }

  /** @returns which rate is exceeded; null: a command may be carried out */
  over(party: Party): Rate | null {
    return party.over(this.#now());
  }

  /** A command was refused. */
  chargeRefusal(party: Party, rate: Rate): void {
    this.#counts[rate]++;
    party.chargeRefusal(this.#now());
  }

  /** @returns whether nothing of the client is to be handled now; then it is told when it may go on */
  holds(party: Party, client: LimitedClient): boolean {
    const over = party.mustWait(this.#rules.mode, this.#now());
    if (over === null) return false;
    if (!party.waiting.has(client)) {
      this.#counts[over]++;
      party.waiting.add(client);
    }
    this.#waiting.add(party);
    this.#timer ??= setInterval(() => this.#wake(), WAKE_MS);
    return true;
  }

  #wake(): void {
    const now = this.#now();
    for (const party of this.#waiting) {
      if (party.mustWait(this.#rules.mode, now) !== null) continue;
      // Those that find a new debt wait again, behind the others.
      const clients = [...party.waiting];
      party.waiting.clear();
      this.#waiting.delete(party);
      for (const client of clients) if (!client.closed) client.resumeSoon();
    }
    if (this.#waiting.size === 0) this.close();
  }
}
