/**
 * Which keys may be about to change, or have changed, since a read was sent: a counter and a version for each of a few
 * thousand places, into which keys fall by their hash. Two keys in one place cost a reply that is not kept.
 *
 * A reply may be kept only if no write of ours to its key was in flight when the read was sent, and neither a write of
 * ours was sent nor a change was heard until the reply came: otherwise nobody knows which came first at the node.
 */

/** A power of two. */
const PLACES = 16_384;

export class InFlight {
  readonly #writes = new Uint32Array(PLACES);
  readonly #reads = new Uint32Array(PLACES);
  readonly #versions = new Uint32Array(PLACES);
  /** Writes of which nobody knows the keys. */
  #ofAnyKey = 0;

  /** Whether a write to the key was sent, and is not answered. */
  writes(keyHash: number): boolean {
    return this.#ofAnyKey > 0 || this.#writes[keyHash & (PLACES - 1)] !== 0;
  }

  /** Whether a read of the key was sent to its node, and its client does not have the reply. */
  reads(keyHash: number): boolean {
    return this.#reads[keyHash & (PLACES - 1)] !== 0;
  }

  beginRead(keyHash: number): void {
    (this.#reads[keyHash & (PLACES - 1)] as number)++;
  }

  endRead(keyHash: number): void {
    (this.#reads[keyHash & (PLACES - 1)] as number)--;
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

  endWriteOfAnyKey(): void {
    this.#ofAnyKey--;
  }
}
