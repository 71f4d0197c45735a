/**
 * The rings of a moment: the one that is, and while it changes the one that follows. Nobody else looks into the two,
 * nor makes hashes of keys and reads them.
 */
import { type RingArc, ringArcs } from './arcs.js';
import type { Continuum } from './continuum.js';
import { movedRoutes, type RingMove, ringMoves } from './moves.js';
import type { NodeSpec } from './node-spec.js';
import { Ring, type RingOptions } from './ring.js';
import { type Walk, walkWhileMoving } from './walk.js';
import { ownerWithout } from './without.js';

declare const ofRings: unique symbol;

/**
 * The hash of a key, made by `Rings.hashOf` and only read by `Rings`. It may be kept: a ring's hash and hash tags are
 * fixed at its first start, so the rings of later moments read it alike. A signed number, which the engine keeps in a
 * field without allocating.
 */
export type KeyHash = number & { readonly [ofRings]: true };

/** Where there is no key. */
export const NO_HASH = 0 as KeyHash;

/** @param kept a hash as it was kept in an array of 32-bit numbers, signed or not */
export function keptHash(kept: number): KeyHash {
  return (kept | 0) as KeyHash;
}

/** What rings are made of, to be sent to another process. */
export interface RingsParts {
  readonly options: RingOptions;
  readonly ring: Continuum;
  /** Null while the ring does not change. */
  readonly next: Continuum | null;
}

/** Immutable. Nodes are told by their index, the same in both rings. */
export class Rings {
  /** The ring changes: a key's next owner may be another one than its owner. */
  readonly isChanging: boolean;
  readonly #ring: Ring;
  /** The ring itself while it does not change. */
  readonly #next: Ring;
  #routes: readonly { readonly source: number; readonly target: number }[] | null = null;

  /** @param next the ring that follows, over the same nodes; null: none does */
  constructor(ring: Ring, next: Ring | null) {
    this.#ring = ring;
    this.#next = next ?? ring;
    this.isChanging = next !== null;
  }

  /** @param nodes those that the sender's rings were over */
  static of(nodes: readonly NodeSpec[], { options, ring, next }: RingsParts): Rings {
    return new Rings(new Ring(nodes, options, ring), next === null ? null : new Ring(nodes, options, next));
  }

  get parts(): RingsParts {
    const { options, continuum } = this.#ring;
    return { options, ring: continuum, next: this.isChanging ? this.#next.continuum : null };
  }

  /** The hash of the key `buffer[start, end)`, or of what its hash tag or a pattern says that is to be hashed. */
  hashOf(buffer: Uint8Array, start: number, end: number): KeyHash {
    return (this.#ring.hashOf(buffer, start, end) | 0) as KeyHash;
  }

  /** The node that owns the key; while the ring changes, the one that it leaves. */
  ownerOf(hash: KeyHash): number {
    return this.#ring.ownerOfHash(hash >>> 0);
  }

  /** The node that owns the key when the change is over; `ownerOf` while there is none. */
  nextOwnerOf(hash: KeyHash): number {
    return this.#next.ownerOfHash(hash >>> 0);
  }

  /** Whether the key changes hands. */
  movesAway(hash: KeyHash): boolean {
    return this.isChanging && this.ownerOf(hash) !== this.nextOwnerOf(hash);
  }

  /** Whether the node owns the key, before the change or behind it. */
  mayHold(node: number, hash: KeyHash): boolean {
    return this.ownerOf(hash) === node || (this.isChanging && this.nextOwnerOf(hash) === node);
  }

  /** The owner if `ownerOf` were left out of the ring; -1 when there is no other one. Not in constant time. */
  ownerWithoutOwner(hash: KeyHash): number {
    return ownerWithout(this.#ring, hash >>> 0, this.ownerOf(hash));
  }

  /** The hash as people are shown it: an unsigned number of 32 bits. */
  shown(hash: KeyHash): number {
    return hash >>> 0;
  }

  /** Whether the node owns part of the ring. */
  has(node: number): boolean {
    return (this.#ring.pointCounts[node] ?? 0) > 0;
  }

  /** Whether it does when the change is over. */
  willHave(node: number): boolean {
    return (this.#next.pointCounts[node] ?? 0) > 0;
  }

  /** The part of the hash space that each node owns; they add up to 1. */
  shares(): readonly number[] {
    return this.#ring.shares();
  }

  /** Points, or slots of `modula`. */
  get points(): number {
    return this.#ring.owners.length;
  }

  /** Two characters between which the hashed part of a key stands, or empty. */
  get hashTag(): string {
    return this.#ring.options.hashTag;
  }

  /** The nodes that lose part of the ring. */
  sources(): Set<number> {
    return new Set(this.#moved().map(({ source }) => source));
  }

  /** The nodes that get part of what `source` loses. */
  targetsOf(source: number): Set<number> {
    return new Set(this.#moved().flatMap((route) => (route.source === source ? [route.target] : [])));
  }

  /** What part of the hash space goes from which node to which, by name. */
  moves(): RingMove[] {
    return ringMoves(this.#ring, this.#next);
  }

  /** The same when the change is turned round. */
  movesBack(): RingMove[] {
    return ringMoves(this.#next, this.#ring);
  }

  /**
   * In which order the nodes are walked while keys move, so that none is missed.
   * @param nodes in the order that they have where nothing moves between them
   */
  walk(nodes: readonly number[]): Walk {
    return walkWhileMoving(this.#ring, this.#next, nodes);
  }

  /** The rings as pieces that cover the hash space, to be drawn (see `ringArcs`). @param limit most pieces */
  arcs(limit: number): { exact: boolean; arcs: RingArc[] } {
    return ringArcs(this.#ring, this.isChanging ? this.#next : null, limit);
  }

  /** Looked for once: it takes milliseconds. */
  #moved(): readonly { readonly source: number; readonly target: number }[] {
    this.#routes ??= movedRoutes(this.#ring, this.#next);
    return this.#routes;
  }
}
