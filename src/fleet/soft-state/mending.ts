/**
 * Anti-entropy. That every change reaches everybody follows from the numbers of changes; but a member of an older version
 * passes on nothing of documents that it does not know, and whatever else goes wrong would stay wrong for ever. So now and
 * then members that know the same changes of a branch compare digests of what they have: of each document first, then of
 * the parts of those that differ, and then they exchange these parts. Where nothing differs, that is one question. What is
 * compared and sent here is the state of a change, so what this member has written since becomes one before.
 */
import type { ExchangeCounters } from './figures.js';
import { type Difference, type Digests, type Known, type Mend, sizeOf } from './messages.js';
import type { Replica } from './replica.js';

/** Documents of a branch in which one answer tells the differences: the others come up the next time. */
const MOST_DIFFERENCES = 16;

export class Mending {
  readonly #replica: Replica;
  readonly #counters: ExchangeCounters;

  constructor(replica: Replica, counters: ExchangeCounters) {
    this.#replica = replica;
    this.#counters = counters;
  }

  digests(): Digests {
    this.#replica.commit();
    const digests = new Map<string, Map<string, string>>();
    for (const member of this.#replica.known.keys()) {
      const documents = new Map<string, string>();
      for (const document of this.#replica.documents) documents.set(document.name, document.digest(member));
      digests.set(member, documents);
    }
    return digests;
  }

  /**
   * Where a peer has something else, although it knows the same changes.
   * @param theirs its digests, and up to which change they are
   */
  differences(theirs: Digests, known: Known): Difference[] {
    const differences: Difference[] = [];
    if (theirs.size > 0) this.#replica.commit();
    for (const [of, documents] of theirs) {
      if (this.#replica.branch(of)?.change !== known.get(of)) continue;
      for (const [name, digest] of documents) {
        const document = this.#replica.document(name);
        if (document === undefined || document.digest(of) === digest) continue;
        if (differences.length === MOST_DIFFERENCES) return differences;
        differences.push({ of, document: name, parts: document.partDigests(of) });
      }
    }
    return differences;
  }

  /** The own parts where a peer has others. @param budget bytes, nearly */
  partsThatDiffer(differences: readonly Difference[], budget: number): Mend[] {
    const mends: Mend[] = [];
    if (differences.length > 0) this.#replica.commit();
    let left = budget;
    for (const { of, document: name, parts } of differences) {
      const document = this.#replica.document(name);
      if (document === undefined) continue;
      const own = document.partDigests(of);
      for (const part of new Set([...parts.keys(), ...own.keys()])) {
        if (part >= document.parts || own.get(part) === parts.get(part)) continue;
        if (left <= 0) return mends;
        const mend = this.#ownPart(of, name, part);
        if (mend === null) continue;
        mends.push(mend);
        left -= sizeOf(mend.body);
      }
    }
    return mends;
  }

  /** The own state of the parts that a peer has sent; as it was before they are taken. @param budget bytes, nearly */
  partsFor(mends: readonly Mend[], budget: number): Mend[] {
    const own: Mend[] = [];
    if (mends.length > 0) this.#replica.commit();
    let left = budget;
    for (const { of, document, part } of mends) {
      const mend = left > 0 ? this.#ownPart(of, document, part) : null;
      if (mend === null) continue;
      own.push(mend);
      left -= sizeOf(mend.body);
    }
    return own;
  }

  /** What a branch's owner says of it counts, then the later change; of two states of one change, their join. */
  take(mends: readonly Mend[], sender: string): void {
    for (const { of, document: name, part, change, body } of mends) {
      const document = this.#replica.document(name);
      const branch = this.#replica.branch(of);
      if (of === this.#replica.own || document === undefined || branch === undefined) continue;
      const own = branch.versionOf(name, part);
      // What came meanwhile is not taken back, and nothing is taken in advance.
      if (change < own || change > branch.change) continue;
      const isNewer = sender === of || change > own;
      const taken = isNewer ? document.replace(of, part, body) : document.join(of, part, body);
      if (taken === 'refused') this.#counters.refused++;
      if (taken !== 'new') continue;
      this.#counters.repairs++;
      if (!isNewer) this.#counters.conflicts++;
      branch.setVersion(name, part, change);
    }
  }

  #ownPart(of: string, name: string, part: number): Mend | null {
    const document = this.#replica.document(name);
    const branch = this.#replica.branch(of);
    if (document === undefined || branch === undefined || part >= document.parts) return null;
    return { of, document: name, part, change: branch.versionOf(name, part), body: document.whole(of, part) };
  }
}
