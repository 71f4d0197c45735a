import { copyBytes } from '../../resp/bytes.js';
import { lastingBytes, wordsOf } from '../../resp/words.js';
import { freeBytes } from '../io/free-bytes.js';
import type { Request } from './request.js';

const SLAB_SIZE = 65_536;
/** Larger replies get a slab of their own, so that one does not keep a shared slab alive. */
const SHARED_LIMIT = 8_192;
const SPARE_SLABS = 64;

/** Memory that holds several replies; reused when the last of them is gone. */
export class HoldSlab {
  readonly buffer: Buffer;
  /** Of the buffer, where it is used again. */
  readonly words: DataView | null;
  used = 0;
  /** Replies that are held here. */
  holds = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.words = wordsOf(buffer);
  }
}

/**
 * Keeps replies that came before it was their turn: the nodes answer independently of each other, but a
 * client gets its replies in the order of its commands.
 */
export class HoldPool {
  #current = new HoldSlab(lastingBytes(SLAB_SIZE));
  readonly #spares: HoldSlab[] = [];

  /** Copies `source[start, end)` and notes in `request` where it is. */
  hold(request: Request, source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let slab = this.#current;
    if (length > SHARED_LIMIT) {
      slab = new HoldSlab(Buffer.allocUnsafeSlow(length));
    } else if (slab.used + length > SLAB_SIZE) {
      slab = this.#nextSlab();
    }
    copyBytes(slab.buffer, slab.words, slab.used, source, start, end);
    request.held = slab;
    request.heldStart = slab.used;
    slab.used += length;
    request.heldEnd = slab.used;
    slab.holds++;
  }

  /** Gives back what `hold` noted in `request`; nothing happens when nothing is held. */
  release(request: Request): void {
    const slab = request.held;
    if (slab === null) return;
    request.held = null;
    slab.holds--;
    if (slab.holds > 0) return;
    slab.used = 0;
    if (slab === this.#current) return;
    if (slab.buffer.length === SLAB_SIZE && this.#spares.length < SPARE_SLABS) this.#spares.push(slab);
    else freeBytes(slab.buffer);
  }

  #nextSlab(): HoldSlab {
    this.#current = this.#spares.pop() ?? new HoldSlab(lastingBytes(SLAB_SIZE));
    return this.#current;
  }
}
