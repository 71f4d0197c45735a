/**
 * Where the elements of EXEC's reply come from, in the order of the queue: two bytes for a command of one node, since
 * there may be millions.
 *
 *   part                                    the next element of this part
 *   OF_ALL                                  one of each part, of which one reply is made
 *   UNSEEN part                             the next element of this part, which the client does not see
 *   MERGED how n part… [m part-of-key…]     one of each of these n parts, merged; ARRAY: in the order of the m keys
 */
import type { Merge } from '../../../../commands/command.js';

export const OF_ALL = 0xffff;
export const UNSEEN = 0xfffe;
export const MERGED = 0xfffd;

/** How the elements of a command that was cut are merged. */
export const SUM = 0;
export const FIRST = 1;
export const ARRAY = 2;
/** Keys of all nodes, one behind the other; one of those that the nodes drew. */
export const CONCAT = 3;
export const RANDOM = 4;
export type ElementMerge = typeof SUM | typeof FIRST | typeof ARRAY | typeof CONCAT | typeof RANDOM;

const FIRST_LENGTH = 64;
const HALF = 0x1_0000;

/** @returns null where commands with this merge are not cut */
export function elementMerge(merge: Merge): ElementMerge | null {
  switch (merge) {
    case 'sum':
      return SUM;
    case 'ok':
      return FIRST;
    case 'array':
      return ARRAY;
    case 'concat':
      return CONCAT;
    case 'random':
      return RANDOM;
    default:
      return null;
  }
}

export class ReplyOrder {
  /** Commands that the client sees. */
  seen = 0;
  #entries = new Uint16Array(FIRST_LENGTH);
  #length = 0;

  /** The next command is this part's. */
  add(part: number): void {
    this.seen++;
    this.#push(part);
  }

  /** The next command is every part's. */
  addOfAll(): void {
    this.seen++;
    this.#push(OF_ALL);
  }

  /** The next command is this part's, and none of the client's. */
  addUnseen(part: number): void {
    this.#push(UNSEEN);
    this.#push(part);
  }

  /**
   * The next command was cut, or stands in several parts.
   * @param parts that have a piece of it
   * @param keyParts the part of each of its keys
   */
  addMerged(how: ElementMerge, parts: readonly number[], keyParts: Uint16Array): void {
    this.seen++;
    this.#push(MERGED);
    this.#push(how);
    this.#push(parts.length);
    for (const part of parts) this.#push(part);
    if (how !== ARRAY) return;
    this.#push(Math.floor(keyParts.length / HALF));
    this.#push(keyParts.length % HALF);
    for (const part of keyParts) this.#push(part);
  }

  /** All entries, one behind the other. */
  get entries(): Uint16Array {
    return this.#entries.subarray(0, this.#length);
  }

  /** The number that two entries hold. */
  static long(entries: Uint16Array, at: number): number {
    return (entries[at] as number) * HALF + (entries[at + 1] as number);
  }

  #push(entry: number): void {
    if (this.#length === this.#entries.length) {
      const larger = new Uint16Array(this.#length * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[this.#length++] = entry;
  }
}
