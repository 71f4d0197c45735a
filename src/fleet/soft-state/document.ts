/**
 * One document of the soft state: of each member a branch, which is a CRDT that this member alone writes, cut into parts
 * by its keys. A part is what replicas compare, and what is sent as a whole when deltas do not do any more, so it is
 * bounded. What its branches say together is up to whoever reads it.
 */
import { hash } from 'node:crypto';
import type { HybridClock } from '../crdt/hybrid-clock.js';
import type { Json, Lattice, Size } from '../crdt/lattice.js';

export interface DocumentOptions<State> {
  readonly name: string;
  readonly lattice: Lattice<State>;
  /** Into how many parts a branch is cut. */
  readonly parts: number;
  /** Entries and tombstones of a part: what comes beyond is refused. */
  readonly mostEntries: number;
}

/** What became of something that a peer has sent. */
export type Taken = 'new' | 'known' | 'refused';

/** A document as replicas exchange it, whatever it is made of. */
export interface Replicated {
  readonly name: string;
  readonly parts: number;
  /** What this member has written since it was asked last: a delta for each part. */
  takeWritten(): readonly (readonly [part: number, delta: Json])[];
  /** @param state a delta, or a whole part of which it is not known whether it is the older one */
  join(owner: string, part: number, state: unknown): Taken;
  /** Puts a whole part in the place of an older one. */
  replace(owner: string, part: number, whole: unknown): Taken;
  whole(owner: string, part: number): Json;
  /** Whether what `older` says is said by `newer`, too. */
  covers(newer: unknown, older: unknown): boolean;
  /** Equal where what counts is equal; empty for a branch without anything. */
  digest(owner: string): string;
  partDigests(owner: string): ReadonlyMap<number, string>;
  forget(owner: string): void;
  /** This member has another id from now on, and writes all that it has written anew. */
  rename(own: string): void;
  prune(before: number): void;
  size(): Size;
  /** Of all entries, estimated. */
  bytes(): number;
}

const DIGEST_LENGTH = 16;
const NOTHING = '';

interface Part<State> {
  state: State;
  /** Null: to be computed. */
  digest: string | null;
  /** As they were when the digest was computed last. */
  bytes: number;
}

export class SoftDocument<State> implements Replicated {
  readonly name: string;
  readonly parts: number;
  readonly #lattice: Lattice<State>;
  readonly #mostEntries: number;
  readonly #branches = new Map<string, Map<number, Part<State>>>();
  readonly #written = new Map<number, State>();
  readonly #nothing: string;
  readonly #clock: Pick<HybridClock, 'witness'>;
  #own: string;
  #onHeard: (owner: string) => void = () => {};

  /** @param own the id of this member @param clock hears of all stamps that come */
  constructor(
    { name, lattice, parts, mostEntries }: DocumentOptions<State>,
    own: string,
    clock: Pick<HybridClock, 'witness'>,
  ) {
    this.name = name;
    this.parts = parts;
    this.#lattice = lattice;
    this.#mostEntries = mostEntries;
    this.#nothing = JSON.stringify(lattice.visible(lattice.bottom));
    this.#own = own;
    this.#clock = clock;
  }

  get own(): string {
    return this.#own;
  }

  /** Members that have written something here. */
  get owners(): Iterable<string> {
    return this.#branches.keys();
  }

  /** @param listener is told when another member's branch has changed, or is gone */
  onHeard(listener: (owner: string) => void): void {
    this.#onHeard = listener;
  }

  /** @returns a state that is never changed */
  read(owner: string, part: number): State {
    return this.#branches.get(owner)?.get(part)?.state ?? this.#lattice.bottom;
  }

  /** Of all parts of a branch. */
  *readAll(owner: string): Generator<State> {
    for (const { state } of this.#branches.get(owner)?.values() ?? []) yield state;
  }

  /**
   * Writes into this member's own branch.
   * @param delta as the type's mutators make it
   * @returns false: it was not written, since the part is full
   */
  write(part: number, delta: State): boolean {
    const known = this.read(this.#own, part);
    const joined = this.#lattice.join(known, delta);
    if (joined === known) return true;
    if (this.#isTooLarge(joined)) return false;
    this.#put(this.#own, part, joined);
    this.#written.set(part, this.#lattice.join(this.#written.get(part) ?? this.#lattice.bottom, delta));
    return true;
  }

  /** The part that a key belongs to: the same at every member. */
  partOf(key: string): number {
    if (this.parts === 1) return 0;
    // FNV-1a.
    let mixed = 0x811c9dc5;
    for (let i = 0; i < key.length; i++) mixed = Math.imul(mixed ^ key.charCodeAt(i), 0x01000193);
    return (mixed >>> 0) % this.parts;
  }

  takeWritten(): readonly (readonly [part: number, delta: Json])[] {
    const written = [...this.#written].map(([part, delta]) => [part, this.#lattice.encode(delta)] as const);
    this.#written.clear();
    return written;
  }

  join(owner: string, part: number, state: unknown): Taken {
    return this.#take(owner, part, state, (decoded) => this.#lattice.join(this.read(owner, part), decoded));
  }

  replace(owner: string, part: number, whole: unknown): Taken {
    return this.#take(owner, part, whole, (decoded) => decoded);
  }

  whole(owner: string, part: number): Json {
    return this.#lattice.encode(this.read(owner, part));
  }

  covers(newer: unknown, older: unknown): boolean {
    const [after, before] = [this.#lattice.decode(newer), this.#lattice.decode(older)];
    return after !== null && before !== null && this.#lattice.join(after, before) === after;
  }

  digest(owner: string): string {
    const parts = this.partDigests(owner);
    if (parts.size === 0) return NOTHING;
    return digestOf([...parts].sort(([a], [b]) => a - b).join());
  }

  partDigests(owner: string): ReadonlyMap<number, string> {
    const digests = new Map<number, string>();
    for (const [number, part] of this.#branches.get(owner) ?? []) {
      const digest = this.#digestOf(part);
      if (digest !== NOTHING) digests.set(number, digest);
    }
    return digests;
  }

  forget(owner: string): void {
    if (this.#branches.delete(owner) && owner !== this.#own) this.#onHeard(owner);
  }

  rename(own: string): void {
    const branch = this.#branches.get(this.#own);
    this.#branches.delete(this.#own);
    this.#written.clear();
    this.#own = own;
    if (branch === undefined) return;
    this.#branches.set(own, branch);
    for (const [part, { state }] of branch) this.#written.set(part, state);
  }

  prune(before: number): void {
    for (const branch of this.#branches.values()) {
      for (const part of branch.values()) part.state = this.#lattice.prune(part.state, before);
    }
  }

  size(): Size {
    let entries = 0;
    let tombstones = 0;
    for (const branch of this.#branches.values()) {
      for (const { state } of branch.values()) {
        const size = this.#lattice.size(state);
        entries += size.entries;
        tombstones += size.tombstones;
      }
    }
    return { entries, tombstones };
  }

  bytes(): number {
    let bytes = 0;
    for (const branch of this.#branches.values()) for (const part of branch.values()) bytes += part.bytes;
    return bytes;
  }

  #take(owner: string, part: number, sent: unknown, make: (decoded: State) => State): Taken {
    if (part >= this.parts) return 'refused';
    const decoded = this.#lattice.decode(sent);
    if (decoded === null) return 'refused';
    const known = this.read(owner, part);
    const state = make(decoded);
    if (state === known) return 'known';
    if (this.#isTooLarge(state)) return 'refused';
    const newest = this.#lattice.newest(decoded);
    if (newest !== null) this.#clock.witness(newest);
    this.#put(owner, part, state);
    this.#onHeard(owner);
    return 'new';
  }

  #isTooLarge(state: State): boolean {
    return this.#lattice.length(state) > this.#mostEntries;
  }

  #put(owner: string, part: number, state: State): void {
    const branch = this.#branches.get(owner);
    const bytes = branch?.get(part)?.bytes ?? 0;
    if (branch === undefined) this.#branches.set(owner, new Map([[part, { state, digest: null, bytes }]]));
    else branch.set(part, { state, digest: null, bytes });
  }

  #digestOf(part: Part<State>): string {
    if (part.digest !== null) return part.digest;
    const text = JSON.stringify(this.#lattice.visible(part.state));
    part.bytes = text.length;
    part.digest = text === this.#nothing ? NOTHING : digestOf(text);
    return part.digest;
  }
}

function digestOf(text: string): string {
  return hash('sha1', text).slice(0, DIGEST_LENGTH);
}
