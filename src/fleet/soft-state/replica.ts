/**
 * What this member knows of all members' branches, and how it catches up with what another one knows. Each member
 * numbers its changes; a replica knows of each branch everything up to some change, so one number a member says what it
 * lacks, and a change is sent to nobody who knows it (R. van Renesse, D. Dumitriu, V. Gough, C. Thomas: "Efficient
 * Reconciliation and Flow Control for Anti-Entropy Protocols", 2008), as deltas where the log reaches back far enough.
 */
import type { Timers } from '../../time/timers.js';
import { Branch } from './branch.js';
import type { Entry } from './delta-log.js';
import type { Replicated, Taken } from './document.js';
import type { ExchangeCounters } from './figures.js';
import { type Gift, type Known, type Row, sizeOf } from './messages.js';

export interface ReplicaOptions {
  /** This member's id. */
  readonly own: string;
  readonly counters: ExchangeCounters;
  readonly timers: Pick<Timers, 'now'>;
}

/** What a row or a gift takes beside its bodies. */
const OVERHEAD_BYTES = 64;

export class Replica {
  readonly #documents = new Map<string, Replicated>();
  readonly #counters: ExchangeCounters;
  readonly #timers: Pick<Timers, 'now'>;
  readonly #branches = new Map<string, Branch>();
  #own: string;
  #dropped = 0;
  /** What was known when `prune` was called last. */
  #pruned: Known = new Map();
  /** Where `give` begins, so that no branch always comes last. */
  #turn = 0;

  constructor({ own, counters, timers }: ReplicaOptions) {
    this.#own = own;
    this.#counters = counters;
    this.#timers = timers;
    this.#branches.set(own, new Branch(timers.now()));
  }

  get own(): string {
    return this.#own;
  }

  /** Members that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Before anything is exchanged. */
  add(document: Replicated): void {
    this.#documents.set(document.name, document);
  }

  get documents(): Iterable<Replicated> {
    return this.#documents.values();
  }

  document(name: string): Replicated | undefined {
    return this.#documents.get(name);
  }

  branch(member: string): Branch | undefined {
    return this.#branches.get(member);
  }

  get known(): Map<string, number> {
    return new Map([...this.#branches].map(([member, { change }]) => [member, change]));
  }

  /** Who is in the fleet: what others have said goes with them. @param ids with or without the own one */
  setMembers(ids: readonly string[]): void {
    const members = new Set(ids);
    for (const member of this.#branches.keys()) {
      if (member === this.#own || members.has(member)) continue;
      this.#forget(member);
      this.#dropped++;
    }
    for (const id of members) if (!this.#branches.has(id)) this.#branches.set(id, new Branch(this.#timers.now()));
  }

  /** This member is in the fleet under another id now; under the one before it is gone. */
  rename(own: string): void {
    if (own === this.#own) return;
    this.#branches.delete(this.#own);
    this.#own = own;
    this.#branches.set(own, new Branch(this.#timers.now()));
    for (const document of this.documents) {
      document.forget(own);
      document.rename(own);
    }
  }

  /** Makes changes of what was written since. */
  commit(): void {
    const branch = this.#branches.get(this.#own);
    if (branch === undefined) return;
    for (const document of this.documents) {
      for (const [part, delta] of document.takeWritten()) {
        branch.change++;
        branch.learnedAt = this.#timers.now();
        branch.setVersion(document.name, part, branch.change);
        branch.log.add(branch.change, document.name, part, delta, sizeOf(delta), coverage(document, delta));
      }
    }
  }

  /** Changes of branches of which something was learned since then, by the timers' clock. */
  learnedSince(time: number): (readonly [member: string, change: number])[] {
    const learned: [string, number][] = [];
    for (const [member, { change, learnedAt }] of this.#branches) if (learnedAt >= time) learned.push([member, change]);
    return learned;
  }

  /** Whether somebody who knows so much lacks something. @param of only this member's branch */
  hasFor(known: Known, of?: string): boolean {
    for (const [member, { change }] of this.#branches) {
      if (of !== undefined && member !== of) continue;
      if (change > (known.get(member) ?? 0)) return true;
    }
    return false;
  }

  /**
   * What somebody lacks who knows so much.
   * @param budget bytes, nearly
   * @param wanted which branches
   */
  give(known: Known, budget: number, wanted: (member: string) => boolean): { gifts: Gift[]; hasMore: boolean } {
    const gifts: Gift[] = [];
    let left = budget;
    let hasMore = false;
    for (const [member, branch] of this.#inTurn()) {
      const theirs = known.get(member) ?? 0;
      const anew = member === this.#own && theirs > branch.change;
      if ((theirs >= branch.change && !anew) || !wanted(member)) continue;
      if (left <= 0) {
        hasMore = true;
        break;
      }
      const from = anew ? 0 : theirs;
      // A whole part says all that was written, so that must have its number.
      if (member === this.#own && branch.log.since(from) === null) this.commit();
      const deltas = anew ? null : branch.log.since(from);
      const rows = deltas ?? this.#wholeParts(member, branch, from);
      const taken: Row[] = [];
      for (const row of rows) {
        if (left <= 0) break;
        taken.push(row);
        left -= row.bytes + OVERHEAD_BYTES;
      }
      const isCut = taken.length < rows.length;
      if (isCut) hasMore = true;
      const to = isCut ? (taken.at(-1)?.change ?? from) : branch.change;
      gifts.push({ of: member, from, to, isDelta: deltas !== null, anew, rows: taken });
      left -= OVERHEAD_BYTES;
    }
    return { gifts, hasMore };
  }

  /** @param sender who has sent it @param bytes of the message */
  take(gifts: readonly Gift[], sender: string, bytes: number): void {
    const rows = gifts.reduce((sum, gift) => sum + gift.rows.length, 0);
    for (const gift of gifts) this.#takeGift(gift, sender, bytes / Math.max(1, rows));
  }

  /**
   * Drops old tombstones, and deltas that were there when this was called last: who was away for longer is given whole
   * parts, in the place of what it had.
   * @param before milliseconds since 1970
   */
  prune(before: number): void {
    for (const document of this.documents) document.prune(before);
    for (const [member, branch] of this.#branches) branch.log.startAt(this.#pruned.get(member) ?? 0);
    this.#pruned = this.known;
  }

  #takeGift(gift: Gift, sender: string, bytesOfRow: number): void {
    const { of } = gift;
    if (of === this.#own) return;
    let branch = this.#branches.get(of);
    if (branch === undefined) {
      this.#counters.strangers++;
      return;
    }
    if (gift.anew && sender === of) {
      this.#forget(of);
      branch = new Branch(this.#timers.now());
      this.#branches.set(of, branch);
    }
    if (gift.to <= branch.change) {
      this.#counters.known++;
      return;
    }
    // Something between was missed: it comes with what is asked for next.
    if (gift.from > branch.change) return;
    for (const row of gift.rows) {
      if (row.change <= branch.change || row.change > gift.to) continue;
      if (gift.isDelta) this.#takeDelta(of, branch, row, bytesOfRow);
      else this.#takeWhole(of, branch, row);
    }
    branch.change = gift.to;
    branch.learnedAt = this.#timers.now();
    if (!gift.isDelta) branch.log.startAt(gift.to);
  }

  #takeDelta(of: string, branch: Branch, { change, document: name, part, body }: Row, bytes: number): void {
    const document = this.#documents.get(name);
    // Of a newer version: digests bring it when this one knows it, too.
    if (document === undefined) return;
    const taken = document.join(of, part, body);
    if (!this.#count(taken)) return;
    branch.setVersion(name, part, change);
    branch.log.add(change, name, part, body, bytes, coverage(document, body));
  }

  #takeWhole(of: string, branch: Branch, { change, document: name, part, body }: Row): void {
    const document = this.#documents.get(name);
    if (document === undefined || change <= branch.versionOf(name, part)) return;
    if (this.#count(document.replace(of, part, body))) branch.setVersion(name, part, change);
  }

  /** @returns false: it was refused */
  #count(taken: Taken): boolean {
    if (taken === 'refused') this.#counters.refused++;
    else this.#counters.taken++;
    return taken !== 'refused';
  }

  #wholeParts(member: string, branch: Branch, since: number): Entry[] {
    return branch.changedSince(since).map(({ document, part, change }) => {
      const body = this.#documents.get(document)?.whole(member, part) ?? null;
      return { change, document, part, body, bytes: sizeOf(body) };
    });
  }

  #forget(member: string): void {
    this.#branches.delete(member);
    for (const document of this.documents) document.forget(member);
  }

  #inTurn(): [string, Branch][] {
    const all = [...this.#branches];
    this.#turn = (this.#turn + 1) % Math.max(1, all.length);
    return [...all.slice(this.#turn), ...all.slice(0, this.#turn)];
  }
}

/** Deltas of a document of one part, such as a load, often say all that the one before said. */
function coverage(document: Replicated, newer: unknown): ((older: unknown) => boolean) | null {
  return document.parts === 1 ? (older) => document.covers(newer, older) : null;
}
