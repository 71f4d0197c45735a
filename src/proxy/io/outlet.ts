import { copyBytes } from '../../resp/bytes.js';
import type { ChunkPool } from './chunk-pool.js';
import type { SocketWriter } from './socket-writer.js';
import type { Turn, TurnTask } from './turn.js';

/** Who is told what becomes of an outlet's bytes. */
export interface OutletOwner {
  /** The kernel has taken everything that was waiting, and somebody had asked to know (`wantsDrain`). */
  onDrained(): void;
}

/** Sealed buffers that a kernel which takes nothing lets pile up are kept in this list. */
const NO_BUFFERS: Buffer[] = [];

/**
 * The output of one socket: bytes are appended all through a turn of the event loop, and written in one
 * piece at its end.
 *
 * The chunk that gathers the bytes is reused when the kernel took them at once, which is nearly always;
 * when it did not, the chunk belongs to that write until it is through. Idle outlets hold no chunk.
 */
export class Outlet implements TurnTask {
  readonly #turn: Turn;
  readonly #pool: ChunkPool;
  readonly #owner: OutletOwner;
  #writer: SocketWriter | null = null;
  #chunk: Buffer | null = null;
  #used = 0;
  /** Buffers that are full and wait in front of the chunk. */
  #sealed: Buffer[] = NO_BUFFERS;
  #sealedBytes = 0;
  #scheduled = false;
  /** Bytes of the write that the kernel has not taken yet; 0 when none is under way. */
  #writing = 0;
  #closed = false;
  /** Bytes that the kernel has taken since the outlet was made. */
  written = 0;
  /** Set by whoever waits for the outlet to become empty; `onDrained` follows once, and clears it. */
  wantsDrain = false;

  constructor(turn: Turn, pool: ChunkPool, owner: OutletOwner) {
    this.#turn = turn;
    this.#pool = pool;
    this.#owner = owner;
  }

  /** Bytes that wait here, for the end of the turn or for the kernel. */
  get pending(): number {
    return this.#used + this.#sealedBytes + this.#writing;
  }

  /** From now on bytes go to this writer; what was appended before goes first. */
  attach(writer: SocketWriter): void {
    this.#writer = writer;
    if (this.pending > 0) this.#schedule();
  }

  /** Copies `source[start, end)` behind what waits already. */
  append(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#chunk === null || this.#used + length > this.#pool.chunkSize) {
      if (!this.#makeRoom(length)) {
        if (!this.#closed) this.#appendLarge(Buffer.from(source.subarray(start, end)));
        return;
      }
    }
    copyBytes(this.#chunk as Buffer, this.#used, source, start, end);
    this.#used += length;
    if (!this.#scheduled) this.#schedule();
  }

  /** Like `append` for a buffer that the caller gives away: large ones are not copied. */
  appendOwned(buffer: Buffer): void {
    if (buffer.length <= this.#pool.chunkSize >> 1) {
      this.append(buffer, 0, buffer.length);
    } else if (!this.#closed) {
      this.#appendLarge(buffer);
    }
  }

  /**
   * Writes `source[start, end)` at once where nothing waits in front of it, without copying it.
   * @returns true when the caller may reuse `source`; false when it was given away to the write.
   */
  pass(source: Buffer, start: number, end: number): boolean {
    if (this.#closed) return true;
    if (this.#writer === null || this.#writing > 0) {
      this.append(source, start, end);
      return true;
    }
    if (this.#used + this.#sealedBytes > 0) {
      this.#flush();
      if (this.#writing > 0) {
        this.append(source, start, end);
        return true;
      }
    }
    return this.#write(source.subarray(start, end));
  }

  /** Forgets what waits; nothing is written any more. */
  close(): void {
    this.#closed = true;
    this.#writer = null;
    this.#releaseChunk();
    this.#used = 0;
    this.#sealed = NO_BUFFERS;
    this.#sealedBytes = 0;
    this.#writing = 0;
  }

  endOfTurn(): void {
    this.#scheduled = false;
    this.#flush();
    this.#tellDrained();
  }

  /** The writer tells that the write under way is through. */
  onWritten(): void {
    this.written += this.#writing;
    this.#writing = 0;
    if (this.#closed) return;
    this.#flush();
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (!this.wantsDrain || this.pending > 0 || this.#closed) return;
    this.wantsDrain = false;
    this.#owner.onDrained();
  }

  #schedule(): void {
    if (this.#scheduled || this.#writer === null) return;
    this.#scheduled = true;
    this.#turn.schedule(this);
  }

  /** Makes a chunk with room for `length` bytes current; false when they are too many for one chunk. */
  #makeRoom(length: number): boolean {
    if (this.#closed || length > this.#pool.chunkSize) return false;
    if (this.#used > 0) this.#seal();
    this.#chunk ??= this.#pool.take();
    return true;
  }

  #seal(): void {
    const chunk = this.#chunk;
    if (chunk === null || this.#used === 0) return;
    if (this.#sealed === NO_BUFFERS) this.#sealed = [];
    this.#sealed.push(chunk.subarray(0, this.#used));
    this.#sealedBytes += this.#used;
    this.#chunk = null;
    this.#used = 0;
  }

  #appendLarge(buffer: Buffer): void {
    this.#seal();
    if (this.#sealed === NO_BUFFERS) this.#sealed = [];
    this.#sealed.push(buffer);
    this.#sealedBytes += buffer.length;
    this.#schedule();
  }

  #flush(): void {
    if (this.#writing > 0 || this.#writer === null) return;
    if (this.#sealedBytes > 0) {
      const sealed = this.#sealed;
      this.#sealed = NO_BUFFERS;
      for (let i = 0; i < sealed.length; i++) {
        const buffer = sealed[i] as Buffer;
        this.#sealedBytes -= buffer.length;
        if (!this.#write(buffer)) {
          // What the kernel did not get to stays in front of anything appended from now on.
          if (i + 1 < sealed.length) this.#sealed = sealed.slice(i + 1);
          return;
        }
        if (this.#closed) return;
      }
    }
    const chunk = this.#chunk;
    if (chunk !== null && this.#used > 0) {
      const length = this.#used;
      this.#used = 0;
      this.#chunk = null;
      if (this.#write(chunk.subarray(0, length))) this.#pool.give(chunk);
    }
  }

  /** @returns whether the kernel took all of it; if not, `onWritten` follows. */
  #write(buffer: Buffer): boolean {
    const writer = this.#writer;
    if (writer === null) return true;
    if (writer.write(buffer)) {
      this.written += buffer.length;
      return true;
    }
    this.#writing = buffer.length;
    return false;
  }

  #releaseChunk(): void {
    if (this.#chunk !== null) this.#pool.give(this.#chunk);
    this.#chunk = null;
  }
}
