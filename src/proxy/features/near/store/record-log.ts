/**
 * Records one behind the other in a ring of memory: new ones at the head, and room is made at the tail. So memory of
 * records of all sizes never falls to pieces, and the order is that of a FIFO queue.
 *
 *   start ─ … tail ▓▓▓▓▓▓ head … ─ end        head ▓▓ … ▓▓ (filler) end, once it has come round
 */
import { DEAD, LENGTH, NONE, STATE } from './record.js';

/** A filler has a length and a state, and no more. */
const LEAST = 2;

export class RecordLog {
  readonly #numbers: Int32Array;
  readonly #start: number;
  readonly #end: number;
  #head: number;
  #tail: number;
  /** Records and fillers; tells a full log from an empty one. */
  #used = 0;

  /** @param start index of its first number, even @param end behind its last one, even */
  constructor(numbers: Int32Array, start: number, end: number) {
    this.#numbers = numbers;
    this.#start = start;
    this.#end = end;
    this.#head = start;
    this.#tail = start;
  }

  /** Numbers that it has room for. */
  get capacity(): number {
    return this.#end - this.#start;
  }

  /** @returns where a record of this length is to be written; NONE: records must be taken from the tail first */
  reserve(length: number): number {
    if (this.#used === 0) {
      this.#head = this.#start;
      this.#tail = this.#start;
    } else if (this.#head <= this.#tail) return this.#tail - this.#head >= length ? this.#put(length) : NONE;
    const behind = this.#end - this.#head;
    if (behind >= length) return this.#put(length);
    if (this.#tail - this.#start < length) return NONE;
    if (behind >= LEAST) {
      this.#numbers[this.#head + LENGTH] = behind;
      this.#numbers[this.#head + STATE] = DEAD;
      this.#used += behind;
    }
    this.#head = this.#start;
    return this.#put(length);
  }

  /** Takes the oldest record, or filler, whose memory is written over by what comes. @returns NONE when there is none */
  take(): number {
    if (this.#used === 0) return NONE;
    const taken = this.#tail;
    const length = this.#numbers[taken + LENGTH] as number;
    this.#used -= length;
    this.#tail = taken + length;
    if (this.#tail >= this.#end) this.#tail = this.#start;
    return taken;
  }

  clear(): void {
    this.#used = 0;
  }

  #put(length: number): number {
    const at = this.#head;
    this.#numbers[at + LENGTH] = length;
    this.#used += length;
    this.#head = at + length;
    if (this.#head >= this.#end) this.#head = this.#start;
    return at;
  }
}
