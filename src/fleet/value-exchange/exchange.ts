/**
 * How proxies come to have the same values. What clients have written at one it tells all others, in batches; what was
 * missed so (a cut, a proxy that joins, a batch that did not fit) they find out by comparing: now and then each compares
 * with each, one number when all is the same, and otherwise a number for each bucket, and exchanges those that differ.
 * Joining a state once more changes nothing, so nobody need remember who has told what. No client waits for any of this.
 */
import type { Timers } from '../../time/timers.js';
import { readBatch } from '../values/batch.js';
import { bucketDigests, rootDigest } from '../values/digests.js';
import { Outbox } from '../values/outbox.js';
import type { ValueStore } from '../values/store.js';
import { batchesOfBuckets } from '../values/whole-store.js';
import { type Answer, type Bucket, decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from './messages.js';
import { NewsLog } from './news-log.js';
import { Partner } from './partner.js';

export interface ValuePeers {
  /** @returns the member's answer; null: there is none in time */
  ask(member: string, body: Buffer, timeoutMs: number): Promise<Buffer | null>;
}

export interface ExchangePorts {
  readonly own: string;
  readonly store: ValueStore;
  readonly peers: ValuePeers;
  readonly timers: Timers;
  /** Whether this proxy has use for values of others: groups that say so, or values. */
  readonly isWanted: () => boolean;
}

export interface ExchangeTimes {
  /** Changes are gathered for so long, and for longer where there are many proxies. Milliseconds. */
  readonly interval: number;
  /** How often two proxies compare what they have. Milliseconds. */
  readonly compareInterval: number;
}

export const EXCHANGE_TIMES: ExchangeTimes = { interval: 100, compareInterval: 15_000 };

/** For each other proxy, changes are gathered so much longer, so that a large fleet is not kept busy. Milliseconds. */
const INTERVAL_OF_PARTNER_MS = 10;
/** Bytes of a batch, and of a message, nearly. */
const BATCH_BYTES = 262_144;
const MESSAGE_BYTES = 1_048_576;
const TIMEOUT_MS = 5000;

export interface ExchangeFigures {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly questions: number;
  readonly failures: number;
  /** What came and was no message. */
  readonly refused: number;
  /** Buckets that were not as another proxy had them, and were exchanged. */
  readonly repairs: number;
  /** How late the last news were that came. Seconds. */
  readonly lag: number;
}

export class ValueExchange {
  readonly #ports: ExchangePorts;
  readonly #times: ExchangeTimes;
  readonly #outbox: Outbox;
  readonly #log = new NewsLog();
  readonly #partners = new Map<string, Partner>();
  readonly #ends: (() => void)[] = [];
  #own: string;
  /** When the oldest change in the outbox was made; by the timers' clock. */
  #since = 0;
  #sealAt = 0;
  #onCompared: (() => void)[] = [];
  #hasMembers = false;
  #hasCompared = false;
  readonly #figures = { bytesIn: 0, bytesOut: 0, questions: 0, failures: 0, refused: 0, repairs: 0, lag: 0 };

  constructor(ports: ExchangePorts, times: ExchangeTimes = EXCHANGE_TIMES) {
    this.#ports = ports;
    this.#times = times;
    this.#own = ports.own;
    this.#outbox = new Outbox(
      (from) => from !== this && this.#partners.size > 0,
      () => {
        this.#since = ports.timers.now();
      },
    );
  }

  get figures(): ExchangeFigures {
    return { ...this.#figures };
  }

  /** Another proxy has told what it has since this one started. */
  get hasCompared(): boolean {
    return this.#hasCompared;
  }

  /** What was deleted at other proxies up to then is deleted here. Milliseconds since 1970. */
  get knownUpTo(): number {
    const heard = [...this.#partners.values()].map(({ heardUpTo }) => heardUpTo);
    return Math.min(this.#ports.store.clock.wall(), ...heard);
  }

  start(): void {
    const { store, timers } = this.#ports;
    this.#ends.push(
      store.listen(this.#outbox),
      store.keep((change) => this.#everybodyKnows(change)),
      timers.every(this.#times.interval, () => this.#tick()),
    );
  }

  /** Tells what is left, and ends. @param timeoutMs it is not told for longer */
  async close(timeoutMs: number): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    this.#seal();
    const untold = [...this.#partners.values()].filter(({ taken }) => taken < this.#log.last);
    if (untold.length === 0) return;
    await new Promise<void>((resolve) => {
      const stop = this.#ports.timers.after(timeoutMs, resolve);
      void Promise.all(untold.map((partner) => this.#tell(partner))).then(() => {
        stop();
        resolve();
      });
    });
  }

  /** @param ids all members of the fleet, with or without this one */
  setMembers(ids: readonly string[]): void {
    const members = new Set(ids);
    members.delete(this.#own);
    for (const id of this.#partners.keys()) if (!members.has(id)) this.#partners.delete(id);
    const now = this.#ports.timers.now();
    const wall = this.#ports.store.clock.wall();
    for (const id of members) {
      if (!this.#partners.has(id)) this.#partners.set(id, new Partner(id, this.#log.last, now, wall));
    }
    this.#hasMembers = true;
    if (members.size === 0) this.#tellCompared();
  }

  /** This proxy is in the fleet under another id now. */
  rename(own: string): void {
    this.#own = own;
    this.#partners.delete(own);
  }

  /**
   * Waits until what this proxy has was compared with what another one has, so that it does not serve with nothing.
   * @param timeoutMs it is not waited for longer
   */
  async joined(timeoutMs: number): Promise<void> {
    if (!this.#ports.isWanted() || (this.#hasMembers && this.#partners.size === 0)) return;
    await new Promise<void>((resolve) => {
      const stop = this.#ports.timers.after(timeoutMs, resolve);
      this.#onCompared.push(() => {
        stop();
        resolve();
      });
    });
  }

  /** Compares what this proxy has with what each other one has, and does not wait for the next time. */
  compareNow(): void {
    for (const partner of this.#partners.values()) partner.compareAt = 0;
  }

  /** Another proxy asks. @param from its id @param body whatever it has sent @returns null: that is no question */
  answer(from: string, body: unknown): Buffer | null {
    if (Buffer.isBuffer(body)) this.#figures.bytesIn += body.length;
    const question = decodeQuestion(body);
    if (question === null) {
      this.#figures.refused++;
      return null;
    }
    this.#partners.get(from)?.onHeard();
    let answer: Answer;
    switch (question.kind) {
      case 'news':
        this.#figures.lag = question.age / 1000;
        this.#take(question.batches);
        answer = { kind: 'taken' };
        break;
      case 'compare': {
        const digests = bucketDigests(this.#ports.store);
        const { forgotten, restored } = this.#ports.store.reach;
        const reach = { forgotten, restored };
        if (rootDigest(this.#ports.store, digests) === question.root) answer = { kind: 'same', reach };
        else answer = { kind: 'buckets', reach, buckets: this.#bucketsWith(digests) };
        break;
      }
      case 'exchange': {
        const batches = [...batchesOfBuckets(this.#ports.store, question.buckets, BATCH_BYTES)];
        this.#take(question.batches);
        answer = { kind: 'batches', batches };
      }
    }
    const bytes = encodeAnswer(answer);
    this.#figures.bytesOut += bytes.length;
    return bytes;
  }

  #tick(): void {
    const now = this.#ports.timers.now();
    if (!this.#outbox.isEmpty && now >= this.#sealAt) {
      this.#sealAt = now + this.#partners.size * INTERVAL_OF_PARTNER_MS;
      this.#seal();
    }
    let taken = this.#log.last;
    for (const partner of this.#partners.values()) {
      taken = Math.min(taken, partner.taken);
      if (!partner.mayBeAsked(now)) continue;
      if (now >= partner.compareAt && this.#ports.isWanted())
        void this.#asking(partner, () => this.#comparing(partner));
      else if (partner.taken < this.#log.last) void this.#asking(partner, () => this.#tell(partner));
    }
    this.#log.dropUpTo(taken);
  }

  /** Makes batches of what has waited. */
  #seal(): void {
    for (let batch = this.#outbox.take(BATCH_BYTES); batch !== null; batch = this.#outbox.take(BATCH_BYTES)) {
      this.#log.add(batch, this.#since);
    }
  }

  async #comparing(partner: Partner): Promise<boolean> {
    // From now on: what comes while it is compared is another reason.
    partner.compareAt = this.#ports.timers.now() + this.#times.compareInterval;
    const isCompared = await this.#compare(partner);
    if (!isCompared) partner.compareAt = 0;
    return isCompared;
  }

  async #asking(partner: Partner, run: () => Promise<boolean>): Promise<void> {
    partner.isAsked = true;
    const isAnswered = await run();
    partner.isAsked = false;
    if (isAnswered) partner.onHeard();
    else partner.onFailed(this.#ports.timers.now());
  }

  /** @returns whether it has answered */
  async #tell(partner: Partner): Promise<boolean> {
    for (;;) {
      const news = this.#log.since(partner.taken, MESSAGE_BYTES);
      const [first] = news ?? [];
      if (news === null) {
        // More than is kept: it is found out by comparing.
        partner.taken = this.#log.last;
        partner.compareAt = 0;
        return true;
      }
      if (first === undefined) return true;
      const age = Math.max(0, Math.round(this.#ports.timers.now() - first.since));
      const batches = news.map(({ batch }) => batch);
      const answer = await this.#ask(partner, encodeQuestion({ kind: 'news', age, batches }));
      if (answer?.kind !== 'taken') return false;
      partner.taken = news.at(-1)?.number ?? partner.taken;
    }
  }

  /** Compares what this proxy has with what the other one has, and exchanges what differs. @returns whether it has answered */
  async #compare(partner: Partner): Promise<boolean> {
    const { store } = this.#ports;
    const { last } = this.#log;
    const { changes } = store;
    const wall = store.clock.wall();
    const digests = bucketDigests(store);
    const answer = await this.#ask(partner, encodeQuestion({ kind: 'compare', root: rootDigest(store, digests) }));
    if (answer?.kind !== 'buckets' && answer?.kind !== 'same') return false;
    // Before anything of it is taken: what is here is partly the other one's then.
    const { forgotten, restored } = answer.reach;
    store.reach.join({ forgotten: Math.min(forgotten, wall), restored });
    if (answer.kind === 'buckets' && !(await this.#exchange(partner, digests, answer.buckets))) return false;
    this.#hasCompared = true;
    partner.heardUpTo = wall;
    partner.comparedUpTo = changes;
    partner.taken = Math.max(partner.taken, last);
    this.#tellCompared();
    return true;
  }

  async #exchange(partner: Partner, own: readonly number[], theirs: readonly Bucket[]): Promise<boolean> {
    const differing: number[] = [];
    for (const [bucket, { digest }] of theirs.entries()) if (own[bucket] !== digest) differing.push(bucket);
    // Where only what was emptied differs, that is told with any bucket.
    if (differing.length === 0) differing.push(0);
    while (differing.length > 0) {
      const buckets: number[] = [];
      let bytes = 0;
      for (let next = differing.pop(); next !== undefined; next = differing.pop()) {
        buckets.push(next);
        bytes += (theirs[next]?.bytes ?? 0) + bytesOf(this.#ports.store, next);
        if (bytes >= MESSAGE_BYTES) break;
      }
      const batches = [...batchesOfBuckets(this.#ports.store, buckets, BATCH_BYTES)];
      const answer = await this.#ask(partner, encodeQuestion({ kind: 'exchange', buckets, batches }));
      if (answer?.kind !== 'batches') return false;
      this.#figures.repairs += buckets.length;
      this.#take(answer.batches);
    }
    return true;
  }

  async #ask(partner: Partner, body: Buffer): Promise<Answer | null> {
    this.#figures.questions++;
    this.#figures.bytesOut += body.length;
    const bytes = await this.#ports.peers.ask(partner.id, body, TIMEOUT_MS).catch(() => null);
    const answer = bytes === null ? null : decodeAnswer(bytes);
    if (bytes !== null) this.#figures.bytesIn += bytes.length;
    if (answer === null) this.#figures.failures++;
    return answer;
  }

  #take(batches: readonly Buffer[]): void {
    for (const batch of batches) {
      const records = readBatch(batch);
      if (records === null) this.#figures.refused++;
      else this.#ports.store.take(records, this);
    }
  }

  #bucketsWith(digests: readonly number[]): Bucket[] {
    return digests.map((digest, bucket) => ({ digest, bytes: bytesOf(this.#ports.store, bucket) }));
  }

  #everybodyKnows(change: number): boolean {
    for (const { comparedUpTo } of this.#partners.values()) if (comparedUpTo < change) return false;
    return true;
  }

  #tellCompared(): void {
    for (const tell of this.#onCompared.splice(0)) tell();
  }
}

function bytesOf(store: ValueStore, bucket: number): number {
  let bytes = 0;
  for (let database = 0; database < store.databases; database++) {
    for (const entry of store.bucket(database, bucket)) bytes += entry.countedBytes;
  }
  return bytes;
}
