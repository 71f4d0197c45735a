/**
 * How members tell each other their soft state.
 *
 *   A ── what I know ────────────────────────────── ▶ B
 *   A ◀─ what I know, what you lack ──────────────── B
 *   A ── what you lack ─────────────────────────────▶ B      where B lacks something
 *   A ◀─ what I know now ─────────────────────────── B
 *
 * An answer acknowledges: what it does not say is known is sent again. A few members tell each other directly, what they
 * have written with the first question; from `MOST_DIRECT` others on, each asks one at random now and then, so that what
 * an exchange costs does not grow with the fleet, and news reach everybody in about as many steps as the size of the
 * fleet has bits (A. Demers and others: "Epidemic algorithms for replicated database maintenance", 1987).
 */
import type { Timers } from '../../time/timers.js';
import type { ExchangeCounters } from './figures.js';
import { Mending } from './mending.js';
import {
  type Answer,
  type Digests,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  type Mend,
  type Question,
} from './messages.js';
import { type Partner, Partners } from './partners.js';
import type { Replica } from './replica.js';

/** Asks another member: the way between the proxies of a fleet. */
export interface SoftStatePeers {
  /** @returns its answer, bytes; null: there is none in time */
  ask(member: string, body: Buffer, timeoutMs: number): Promise<Buffer | null>;
}

export interface ExchangeOptions {
  /** Changes are gathered for so long. Milliseconds. */
  readonly interval: number;
  /** Bytes of a message, nearly. */
  readonly messageBytes: number;
  /** How often digests are compared with one other member. Milliseconds. */
  readonly digestInterval: number;
  /** How long tombstones are kept. Milliseconds. */
  readonly tombstoneAge: number;
}

export const EXCHANGE_DEFAULTS: ExchangeOptions = {
  interval: 200,
  messageBytes: 49_152,
  digestInterval: 15_000,
  tombstoneAge: 30_000,
};

export interface ExchangePorts {
  readonly replica: Replica;
  readonly counters: ExchangeCounters;
  readonly peers: SoftStatePeers;
  readonly timers: Timers;
  /** From 0 up to, and without, 1. */
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
}

/** In so many rounds one other is asked on average, where they are many: an exchange of news is two questions. */
const SPREAD_ROUNDS = 5;
/** After a quiet time so many are asked at once, so that news are not slow when they are few. */
const MOST_AT_ONCE = 3;
/** Others that are told directly; where there are more, news spread by way of others. */
const MOST_DIRECT = 4;
/**
 * News are passed on for so many steps more than the size of the fleet has bits; whom they have not reached by then
 * finds out by the numbers of changes.
 */
const MORE_STEPS = 2;
/** Questions in a row to one member that lacks much. */
const MOST_TURNS = 256;
const TIMEOUT_MS = 2000;
const NO_DIGESTS: Digests = new Map();

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #ports: ExchangePorts;
  readonly #mending: Mending;
  readonly #partners = new Partners();
  #nextDigest: number;
  #nextPrune: number;
  /** How many others may be asked now, where they are many. */
  #tokens = MOST_AT_ONCE;
  #stop: (() => void) | null = null;

  constructor(ports: ExchangePorts, options: ExchangeOptions = EXCHANGE_DEFAULTS) {
    this.#options = options;
    this.#ports = ports;
    this.#mending = new Mending(ports.replica, ports.counters);
    const now = ports.timers.now();
    this.#nextDigest = now + options.digestInterval * ports.random();
    this.#nextPrune = now + options.tombstoneAge;
  }

  start(): void {
    this.#stop ??= this.#ports.timers.every(this.#options.interval, () => this.#tick());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** @param ids all members of the fleet */
  setMembers(ids: readonly string[]): void {
    const { replica } = this.#ports;
    replica.setMembers(ids);
    this.#partners.set(ids.filter((id) => id !== replica.own));
  }

  /** Another member asks. @param body whatever it has sent @returns null: that is no question */
  answer(body: unknown): Buffer | null {
    const { replica, counters } = this.#ports;
    if (Buffer.isBuffer(body)) counters.bytesIn += body.length;
    const question = decodeQuestion(body);
    if (question === null) {
      counters.refused++;
      return null;
    }
    const { from, known, gifts, digests, mends } = question;
    replica.take(gifts, from, Buffer.isBuffer(body) ? body.length : 0);
    const partner = this.#partners.get(from);
    // It is there: whatever was wrong with the way to it.
    if (partner !== undefined) {
      partner.known = known;
      partner.notBefore = 0;
    }
    const own = this.#mending.partsFor(mends, this.#options.messageBytes);
    this.#mending.take(mends, from);
    const given = replica.give(known, this.#options.messageBytes, () => true);
    const differences = this.#mending.differences(digests, known);
    const answer = encodeAnswer({ known: replica.known, ...given, differences, mends: own });
    counters.bytesOut += answer.length;
    return answer;
  }

  #tick(): void {
    const { replica, timers, random } = this.#ports;
    const now = timers.now();
    const isMany = this.#partners.size > MOST_DIRECT;
    this.#tokens = Math.min(MOST_AT_ONCE, this.#tokens + 1 / SPREAD_ROUNDS);
    // While nobody may be asked, what is written gathers.
    if (!isMany || this.#tokens >= 1) replica.commit();
    if (now >= this.#nextPrune) {
      this.#nextPrune = now + this.#options.tombstoneAge;
      replica.prune(this.#ports.wallNow() - this.#options.tombstoneAge);
    }
    const ready = this.#partners.ready(now);
    if (now >= this.#nextDigest && ready.length > 0) {
      this.#nextDigest = now + this.#options.digestInterval * (0.75 + random() / 2);
      const [partner] = ready.splice(Math.floor(random() * ready.length), 1);
      if (partner !== undefined) void this.#exchange(partner, this.#mending.digests());
    }
    if (!isMany) {
      for (const partner of ready) if (replica.hasFor(partner.known, replica.own)) void this.#exchange(partner);
      return;
    }
    if (this.#tokens < 1) return;
    const news = this.#freshChanges();
    const lacking = ready.filter(({ known }) => news.some(([member, change]) => change > (known.get(member) ?? 0)));
    for (; this.#tokens >= 1 && lacking.length > 0; this.#tokens--) {
      const [chosen] = lacking.splice(Math.floor(random() * lacking.length), 1);
      if (chosen !== undefined) void this.#exchange(chosen);
    }
  }

  /** What was learned so lately that it is passed on. */
  #freshChanges(): (readonly [member: string, change: number])[] {
    const { replica, timers } = this.#ports;
    const steps = Math.ceil(Math.log2(this.#partners.size + 1)) + MORE_STEPS;
    const since = timers.now() - steps * SPREAD_ROUNDS * this.#options.interval;
    return replica.learnedSince(since);
  }

  async #exchange(partner: Partner, digests = NO_DIGESTS): Promise<void> {
    const { replica, timers } = this.#ports;
    partner.isAsked = true;
    const isDirect = this.#partners.size <= MOST_DIRECT;
    let mends: readonly Mend[] = [];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const known = replica.known;
      const isNews = (member: string): boolean => turn > 0 || (isDirect && member === replica.own);
      const { gifts } = replica.give(partner.known, this.#options.messageBytes, isNews);
      const question = { from: replica.own, known, gifts, digests: turn === 0 ? digests : NO_DIGESTS, mends };
      const answer = await this.#ask(partner, question);
      if (answer === null) {
        this.#partners.onFailed(partner, timers.now());
        break;
      }
      this.#partners.onAnswered(partner);
      const before = replica.known;
      replica.take(answer.gifts, partner.id, answer.bytes);
      this.#mending.take(answer.mends, partner.id);
      mends = this.#mending.partsThatDiffer(answer.differences, this.#options.messageBytes);
      const lacks = [...known].some(([member, change]) => change > (answer.known.get(member) ?? 0));
      const hasLearned = isMore(answer.known, partner.known) || isMore(replica.known, before);
      partner.known = answer.known;
      if (mends.length === 0 && !((turn === 0 || hasLearned) && (lacks || answer.hasMore))) break;
    }
    partner.isAsked = false;
  }

  async #ask(partner: Partner, question: Question): Promise<Answer | null> {
    const { counters, peers } = this.#ports;
    const body = encodeQuestion(question);
    counters.exchanges++;
    counters.bytesOut += body.length;
    const bytes = await peers.ask(partner.id, body, TIMEOUT_MS).catch(() => null);
    if (bytes === null) {
      counters.failures++;
      return null;
    }
    counters.bytesIn += bytes.length;
    const answer = decodeAnswer(bytes);
    if (answer === null) {
      counters.failures++;
      counters.refused++;
    }
    return answer;
  }
}

/** Whether something is known now that was not before. */
function isMore(now: Partner['known'], before: Partner['known']): boolean {
  for (const [member, change] of now) if (change !== (before.get(member) ?? 0)) return true;
  return false;
}
