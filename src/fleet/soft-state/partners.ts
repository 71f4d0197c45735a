/** The other members, as this one exchanges its soft state with them. */
import type { Known } from './messages.js';

export interface Partner {
  readonly id: string;
  /** What it has said that it knows. */
  known: Known;
  /** It is being asked. */
  isAsked: boolean;
  /** In a row. */
  failures: number;
  /** It is not asked before, by the timers' clock. */
  notBefore: number;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const NOTHING: Known = new Map();

export class Partners {
  readonly #partners = new Map<string, Partner>();

  get size(): number {
    return this.#partners.size;
  }

  get(id: string): Partner | undefined {
    return this.#partners.get(id);
  }

  set(ids: readonly string[]): void {
    const members = new Set(ids);
    for (const id of this.#partners.keys()) if (!members.has(id)) this.#partners.delete(id);
    for (const id of members) {
      if (this.#partners.has(id)) continue;
      this.#partners.set(id, { id, known: NOTHING, isAsked: false, failures: 0, notBefore: 0 });
    }
  }

  /** Those that may be asked now. */
  ready(now: number): Partner[] {
    return [...this.#partners.values()].filter(({ isAsked, notBefore }) => !isAsked && notBefore <= now);
  }

  onAnswered(partner: Partner): void {
    partner.failures = 0;
    partner.notBefore = 0;
  }

  /** One that does not answer is asked ever less often. */
  onFailed(partner: Partner, now: number): void {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(partner.failures, 16), LONGEST_PAUSE_MS);
    partner.failures++;
    partner.notBefore = now + pause;
  }
}
