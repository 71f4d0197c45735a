/**
 * The last changes of one branch as deltas, for those who know it up to there. Bounded: who knows less than the log
 * reaches back is given whole parts.
 */
import type { Row } from './messages.js';

/** Bytes of the deltas of a branch. */
const MOST_BYTES = 131_072;

export interface Entry extends Row {
  /** Of its body. */
  readonly bytes: number;
}

export class DeltaLog {
  /** In the order of their changes. */
  #entries: Entry[] = [];
  #bytes = 0;
  /** The log has all that came after this change. */
  #floor: number;

  constructor(floor = 0) {
    this.#floor = floor;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param change larger than every one before
   * @param bytes of its body, nearly
   * @param covers whether this delta says all that another one of the same part says, which is dropped then; null: it
   * hardly ever does
   */
  add(
    change: number,
    document: string,
    part: number,
    body: unknown,
    bytes: number,
    covers: ((older: unknown) => boolean) | null,
  ): void {
    const isSame = (entry: Entry): boolean => entry.document === document && entry.part === part;
    const before = covers === null ? -1 : this.#entries.findLastIndex(isSame);
    const last = this.#entries[before];
    if (last !== undefined && covers?.(last.body) === true) {
      this.#entries.splice(before, 1);
      this.#bytes -= last.bytes;
    }
    this.#entries.push({ change, document, part, body, bytes });
    this.#bytes += bytes;
    while (this.#bytes > MOST_BYTES) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes;
      this.#floor = oldest.change;
    }
  }

  /** All up to this change came otherwise, or is too old. */
  startAt(change: number): void {
    if (change <= this.#floor) return;
    this.#floor = change;
    this.#entries = this.#entries.filter((entry) => entry.change > change);
    this.#bytes = this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @returns what came after this change; null: the log does not reach back so far */
  since(change: number): readonly Entry[] | null {
    if (change < this.#floor) return null;
    let first = this.#entries.length;
    while (first > 0 && (this.#entries[first - 1]?.change ?? 0) > change) first--;
    return this.#entries.slice(first);
  }
}
