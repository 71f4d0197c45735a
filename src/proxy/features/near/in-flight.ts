/**
 * Which keys may be about to change, or have changed, since a read was sent: a counter and a version for each of a few
 * thousand places, into which keys fall by their hash. Two keys in one place cost a reply that is not kept.
 *
 * A read that is on its way to be kept is sent by nobody else in the same way.
 *
 * A reply may be kept only if no write of ours to its key was in flight when the read was sent, and neither a write of
 * ours was sent nor a change was heard until the reply came: otherwise nobody knows which came first at the node.
 */

/** A power of two. */
const PLACES = 16_384;
/** In their array no fill is 0. */
const NO_FILL = 0;

export class InFlight {
  readonly #writes = new Uint32Array(PLACES);
  readonly #reads = new Uint32Array(PLACES);
  readonly #versions = new Uint32Array(PLACES);
  /** The hash of the read that is about to be kept. */
  readonly #fills = new Int32Array(PLACES);
  /** Writes of which nobody knows the keys. */
  #ofAnyKey = 0;
  /** Reads of which nobody knows the keys. */
  #readsOfAnyKey = 0;

  /** Whether a write to the key was sent, and is not answered. */
  writes(keyHash: number): boolean {
    return this.#ofAnyKey > 0 || this.#writes[keyHash & (PLACES - 1)] !== 0;
  }

  /** Whether a read of the key was sent to its node, and its client does not have the reply. */
  reads(keyHash: number): boolean {
    return this.#readsOfAnyKey > 0 || this.#reads[keyHash & (PLACES - 1)] !== 0;
  }

  beginRead(keyHash: number): void {
    (this.#reads[keyHash & (PLACES - 1)] as number)++;
  }

  endRead(keyHash: number): void {
    (this.#reads[keyHash & (PLACES - 1)] as number)--;
  }

  /** Whether the read with this hash is on its way to be kept, or another one in its place. */
  fills(hash: number): boolean {
    return this.#fills[hash & (PLACES - 1)] !== NO_FILL;
  }

  beginFill(hash: number): void {
    this.#fills[hash & (PLACES - 1)] = printOf(hash);
  }

  endFill(hash: number): void {
    const place = hash & (PLACES - 1);
    if (this.#fills[place] === printOf(hash)) this.#fills[place] = NO_FILL;
  }

  /** Differs from what it was when the key has changed since, or may have, or will. */
  version(keyHash: number): number {
    return this.#versions[keyHash & (PLACES - 1)] as number;
  }

  /** The key has changed. */
  onChanged(keyHash: number): void {
    (this.#versions[keyHash & (PLACES - 1)] as number)++;
  }

  beginWrite(keyHash: number): void {
    const place = keyHash & (PLACES - 1);
    (this.#writes[place] as number)++;
    (this.#versions[place] as number)++;
  }

  endWrite(keyHash: number): void {
    (this.#writes[keyHash & (PLACES - 1)] as number)--;
  }

  /** Of what is in flight from before nothing may be kept either: the caller ends it by the nodes' epochs. */
  beginWriteOfAnyKey(): void {
    this.#ofAnyKey++;
  }

  beginReadOfAnyKey(): void {
    this.#readsOfAnyKey++;
  }

  endReadOfAnyKey(): void {
    this.#readsOfAnyKey--;
  }

  endWriteOfAnyKey(): void {
    this.#ofAnyKey--;
  }
}

function printOf(hash: number): number {
  return hash === NO_FILL ? 1 : hash | 0;
}
