import { copyBytes, copyWords, isCopiedByWords } from '../../resp/bytes.js';
import { Chunk, type Chunks } from './chunk.js';
import type { ChunkPool } from './chunk-pool.js';
import { canFreeBytes, freeBytes } from './free-bytes.js';
import type { SocketWriter } from './socket-writer.js';
import type { Turn, TurnTask } from './turn.js';

/** Who fills an outlet, and is told what becomes of its bytes. */
export interface OutletOwner {
  /** The kernel has taken everything that was waiting, and somebody had asked to know (`wantsDrain`). */
  onDrained(): void;
}

/** Where outlets of one kind take their chunks from, and how much they gather in them. */
export interface OutletPools {
  /** With fewer bytes than this to write, more are likely to follow so soon that they had better go out together; 0: never. */
  readonly few: number;
  /** With so many bytes an outlet does not wait for the turn's end: whoever reads them can begin meanwhile. */
  readonly plenty: number;
  /** For the first pieces of a turn. Its chunks may be smaller than usual ones: thousands of outlets have a little each. */
  readonly first: Chunks;
  /** For the many small pieces of a turn. */
  readonly usual: Chunks;
  /** For a piece that is too large for a usual chunk. */
  readonly large: ChunkPool;
}

/** A chunk that is full, or belongs to somebody else, and waits to be written. */
interface Sealed {
  readonly bytes: Uint8Array;
  /** The pooled chunk that `bytes` are in, or null. */
  readonly chunk: Chunk | Buffer | null;
}

/** A write of fewer bytes than this costs both sides little but the crossing into the kernel: a few small commands. */
export const FEW_BYTES = 512;
/** What a node is busy with for about as long as a write of them takes. */
export const PLENTY_BYTES = 16_384;

const NOTHING_SEALED: Sealed[] = [];
/** Most bytes of one write: whether the other side takes any of them is seen by writes that are through. */
const MOST_WRITE = 1_048_576;

/**
 * The output of one socket: bytes are appended all through a turn of the event loop, and written in one
 * piece at its end, or as soon as they are plenty, or all that is expected (`expectMore`). In a crowded turn an outlet that
 * expects more waits for the next one, once: by then the other sockets have been looked at again, and one write carries
 * what would have been two.
 *
 * Chunks come from pools, and go back when the kernel has taken their bytes, which nearly always is at
 * once. Idle outlets hold no chunk.
 */
export class Outlet implements TurnTask {
  readonly #turn: Turn;
  readonly #pools: OutletPools;
  readonly #owner: OutletOwner;
  #writer: SocketWriter | null = null;
  #chunk: Chunk | null = null;
  /** Of the chunk. */
  #words: DataView | null = null;
  /** Bytes of the chunk that may be used before `#makeRoom` is to look; 0: there is no chunk. */
  #room = 0;
  #used = 0;
  /** What waits in front of the chunk. */
  #sealed: Sealed[] = NOTHING_SEALED;
  #sealedBytes = 0;
  #scheduled = false;
  #expectsMore = false;
  /** The last turn has ended without a write, as more was awaited. */
  #deferred = false;
  /** Bytes of the write that the kernel has not taken yet; 0 when none is under way. */
  #writing = 0;
  /** The pooled chunk of that write. */
  #writingChunk: Chunk | Buffer | null = null;
  #closed = false;
  /** Bytes that the kernel has taken since the outlet was made. */
  written = 0;
  /** Set by whoever waits for the outlet to become empty; `onDrained` follows once, and clears it. */
  wantsDrain = false;

  constructor(turn: Turn, pools: OutletPools, owner: OutletOwner) {
    this.#turn = turn;
    this.#pools = pools;
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
    if (this.#used + length > this.#room && !this.#makeRoom(length)) {
      if (!this.#closed) this.#appendLarge(source, start, end);
      return;
    }
    copyBytes((this.#chunk as Chunk).bytes, this.#words, this.#used, source, start, end);
    this.#used += length;
    if (!this.#scheduled) this.#schedule();
  }

  /** Like `append` for memory whose words the caller has. @param words of `source` */
  appendWords(source: Uint8Array, words: DataView, start: number, end: number): void {
    const length = end - start;
    const own = this.#words;
    if (own === null || this.#used + length > this.#room || !isCopiedByWords(length)) {
      this.append(source, start, end);
      return;
    }
    copyWords(own, this.#used, words, start, end);
    this.#used += length;
    if (!this.#scheduled) this.#schedule();
  }

  /** Like `append` for a buffer that the caller gives away: a large one is not copied. */
  appendOwned(buffer: Buffer): void {
    if (buffer.length <= this.#pools.usual.chunkSize >> 1) {
      this.append(buffer, 0, buffer.length);
    } else if (!this.#closed) {
      this.#pushSealed(buffer, null);
    }
  }

  /**
   * Writes `source[start, end)` at once where nothing waits in front of it, without copying it.
   * @returns true when the caller may reuse `source`; false when it was given away to the write.
   */
  pass(source: Buffer, start: number, end: number): boolean {
    if (this.#closed) return true;
    if (this.#writer !== null && this.#writing === 0 && this.#used + this.#sealedBytes > 0) {
      this.#flush();
      this.#writer?.hurry();
    }
    if (this.#writer === null || this.pending > 0) {
      this.append(source, start, end);
      return true;
    }
    const bytes = source.subarray(start, end);
    if (this.#writer.write(bytes)) {
      this.written += bytes.length;
      return true;
    }
    this.#writing = bytes.length;
    this.#writingChunk = source.length === this.#pools.large.chunkSize ? source : null;
    return false;
  }

  /**
   * Tells what is to come, once what is at hand was appended: more, so that in a crowded turn it had better go out with
   * that; or nothing for now, so that it need not wait for the turn's end. To ask the owner at that end would take
   * objects of the owner's that are in no cache any more where clients are many.
   */
  expectMore(more: boolean): void {
    this.#expectsMore = more;
    if (!more && this.#used + this.#sealedBytes > 0) this.#flush();
  }

  /** Writes what waits, at once. @returns whether the other side is known never to read it (`SocketWriter.isRefused`) */
  flushNow(): boolean {
    this.#flush();
    this.#writer?.hurry();
    return this.#closed || (this.#writing === 0 && this.#writer?.isRefused() === true);
  }

  /** Forgets what waits; nothing is written any more. */
  close(): void {
    // What was handed to the writer counts as written.
    if (this.#writing > 0) this.#writer?.hurry();
    this.#closed = true;
    this.#writer = null;
    if (this.#chunk !== null) this.#giveBack(this.#chunk);
    this.#setChunk(null);
    for (const { chunk } of this.#sealed) this.#giveBack(chunk);
    this.#sealed = NOTHING_SEALED;
    this.#sealedBytes = 0;
    this.#writing = 0;
    // The kernel may still read from it: it is left to the collector.
    if (this.#writingChunk !== null && !(this.#writingChunk instanceof Chunk))
      this.#pools.large.lose(this.#writingChunk);
    this.#writingChunk = null;
  }

  endOfTurn(): void {
    if (!this.#deferred && this.#turn.isCrowded && this.#sealedBytes === 0 && this.#awaitsMore) {
      this.#deferred = true;
      this.#turn.schedule(this);
      return;
    }
    this.#deferred = false;
    this.#scheduled = false;
    this.#flush();
    this.#tellDrained();
  }

  /** The writer tells that the write under way is through. */
  onWritten(): void {
    this.written += this.#writing;
    this.#writing = 0;
    if (this.#closed) return;
    this.#giveBack(this.#writingChunk);
    this.#writingChunk = null;
    if (this.pending > 0 || this.wantsDrain) this.#schedule();
  }

  get #awaitsMore(): boolean {
    const { few, plenty } = this.#pools;
    return this.#used > 0 && this.#used < plenty && (this.#expectsMore || this.pending < few);
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

  /** @returns false where a usual chunk is too small for so many bytes, or nothing is written any more */
  #makeRoom(length: number): boolean {
    const { first, usual, plenty } = this.#pools;
    if (this.#closed || length > usual.chunkSize) return false;
    const isFirst = this.#used === 0 && length <= first.chunkSize;
    if (this.#used >= plenty || this.#used + length > usual.chunkSize) this.#flush();
    const chunk = this.#chunk;
    const used = this.#used;
    if (chunk === null || used + length > usual.chunkSize) {
      if (chunk !== null) this.#seal();
      this.#setChunk((isFirst ? first : usual).take());
    } else if (chunk.size < usual.chunkSize) {
      const larger = usual.take();
      chunk.bytes.copy(larger.bytes, 0, 0, used);
      this.#setChunk(larger);
      this.#used = used;
      first.give(chunk);
    } else {
      // A piece may go beyond what is plenty; where the kernel takes nothing now, the whole chunk is filled.
      this.#room = used < plenty ? used + length : chunk.size;
    }
    return true;
  }

  #setChunk(chunk: Chunk | null): void {
    this.#chunk = chunk;
    this.#words = chunk === null ? null : chunk.words;
    this.#room = chunk === null ? 0 : Math.min(chunk.size, this.#pools.plenty);
    this.#used = 0;
  }

  #appendLarge(source: Uint8Array, start: number, end: number): void {
    const { large } = this.#pools;
    const begun = this.#chunk;
    const used = this.#used;
    const length = used + end - start;
    // Where many wait, they wait in memory that is just as large, unless nothing but the collector could free it.
    const pooled = length > large.chunkSize ? null : canFreeBytes ? large.borrow() : large.take();
    const bytes = pooled ?? Buffer.allocUnsafeSlow(length);
    if (begun !== null) {
      // What is in front of it would take a chunk, and a write, of its own.
      begun.bytes.copy(bytes, 0, 0, used);
      this.#setChunk(null);
      this.#giveBack(begun);
    }
    copyBytes(bytes, null, used, source, start, end);
    this.#addSealed(bytes.subarray(0, length), bytes);
    this.#schedule();
  }

  #seal(): void {
    const chunk = this.#chunk;
    if (chunk === null) return;
    const length = this.#used;
    this.#setChunk(null);
    this.#addSealed(chunk.beginning(length), chunk);
  }

  #pushSealed(bytes: Buffer, chunk: Buffer | null): void {
    if (this.#used > 0) this.#seal();
    this.#addSealed(bytes, chunk);
    this.#schedule();
  }

  #addSealed(bytes: Uint8Array, chunk: Chunk | Buffer | null): void {
    if (this.#sealed === NOTHING_SEALED) this.#sealed = [];
    this.#sealedBytes += bytes.length;
    let at = 0;
    for (; bytes.length - at > MOST_WRITE; at += MOST_WRITE) {
      this.#sealed.push({ bytes: bytes.subarray(at, at + MOST_WRITE), chunk: null });
    }
    // Of what takes several writes, one may be under way when the outlet is closed: the collector has to do.
    this.#sealed.push(at === 0 ? { bytes, chunk } : { bytes: bytes.subarray(at), chunk: null });
  }

  #flush(): void {
    if (this.#writing > 0 || this.#writer === null) return;
    if (this.#sealedBytes > 0) {
      const sealed = this.#sealed;
      this.#sealed = NOTHING_SEALED;
      for (let i = 0; i < sealed.length; i++) {
        const { bytes, chunk } = sealed[i] as Sealed;
        this.#sealedBytes -= bytes.length;
        if (!this.#write(bytes, chunk)) {
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
      this.#setChunk(null);
      this.#writeChunk(chunk, length);
    }
  }

  /** @returns whether the kernel took all of it; if not, `onWritten` follows. */
  #write(bytes: Uint8Array, chunk: Chunk | Buffer | null): boolean {
    return this.#writer === null || this.#account(this.#writer.write(bytes), bytes.length, chunk);
  }

  #writeChunk(chunk: Chunk, length: number): void {
    if (this.#writer !== null) this.#account(this.#writer.writeChunk(chunk, length), length, chunk);
  }

  /** @returns `isTaken` */
  #account(isTaken: boolean, length: number, chunk: Chunk | Buffer | null): boolean {
    if (isTaken) {
      this.written += length;
      this.#giveBack(chunk);
    } else {
      this.#writing = length;
      this.#writingChunk = chunk;
    }
    return isTaken;
  }

  #giveBack(chunk: Chunk | Buffer | null): void {
    if (chunk === null) return;
    const { first, usual, large } = this.#pools;
    if (!(chunk instanceof Chunk)) {
      if (chunk.length === large.chunkSize) large.give(chunk);
      else freeBytes(chunk);
    } else (chunk.size === first.chunkSize ? first : usual).give(chunk);
  }
}
