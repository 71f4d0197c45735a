import type { Chunk } from '../chunk.js';
import { type BatchContext, KernelBatch, NOT_DONE, TRY_AGAIN } from './kernel-batch.js';

/** Whoever is written to by then can begin while the proxy goes on. */
const MOST = 32;

/** A socket whose writes are made together with others'. */
export interface BatchWriter {
  readonly fd: number;
  /** Whether the socket still is the one that has this `fd`. */
  readonly isOpen: boolean;
  /** @param outcome how many bytes the kernel has taken, or a negative number of the system's. Nothing may be written by it at once. */
  onOutcome(chunk: Chunk, length: number, outcome: number): void;
}

class Write {
  writer: BatchWriter | null = null;
  chunk: Chunk | null = null;
  length = 0;
}

/** Writes that wait for each other, and are made by one call. */
export class BatchWrites {
  readonly #batch: KernelBatch;
  readonly #waiting: readonly Write[] = Array.from({ length: MOST }, () => new Write());
  readonly #made: readonly Write[] = Array.from({ length: MOST }, () => new Write());
  #count = 0;

  constructor(context: BatchContext) {
    this.#batch = new KernelBatch(context, MOST);
  }

  /** The first `length` bytes of the chunk, which nobody changes until `onOutcome`. A socket that was closed by then is not written to. */
  add(writer: BatchWriter, chunk: Chunk, length: number): void {
    if (this.#count === MOST) this.flush();
    const write = this.#waiting[this.#count++] as Write;
    write.writer = writer;
    write.chunk = chunk;
    write.length = length;
  }

  /** Makes the writes that wait. */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    const batch = this.#batch;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      const { writer, chunk, length } = this.#waiting[i] as Write;
      if (writer === null || chunk === null || chunk.place === null || !writer.isOpen) continue;
      const made = this.#made[batch.count] as Write;
      made.writer = writer;
      made.chunk = chunk;
      made.length = length;
      batch.write(writer.fd, chunk.place, length);
    }
    const made = batch.count;
    batch.run();
    for (let i = 0; i < made; i++) {
      const { writer, chunk, length } = this.#made[i] as Write;
      const result = batch.results[i] as number;
      // What the kernel took nothing of goes the other way, which waits for it.
      if (writer !== null && chunk !== null) {
        writer.onOutcome(chunk, length, result === NOT_DONE || result === TRY_AGAIN ? 0 : result);
      }
    }
  }
}
