/**
 * Reads and writes of several sockets by one call: Linux' asynchronous I/O. `io_submit(2)` does what it is given before it
 * returns where the socket does not block, and puts the results into memory that it shares with us, so that nothing need
 * be called to have them. Other than io_uring, containers allow it. (The layout is that of `struct iocb` and `struct
 * aio_ring`, linux/aio_abi.h and fs/aio.c; that it does so for sockets: M. Majkowski, "io_submit: The epoll alternative
 * you've never heard about", Cloudflare 2019.)
 */
import type { System } from './system.js';

const READ = 0;
const WRITE = 1;

// All of these in numbers of 32 bits.
const BLOCK_WORDS = 16;
const BLOCK_DATA = 0;
const BLOCK_OPERATION = 4;
const BLOCK_FD = 5;
const BLOCK_ADDRESS = 6;
const BLOCK_LENGTH = 8;
const RING_SIZE = 1;
const RING_HEAD = 2;
const RING_TAIL = 3;
const RING_MAGIC = 4;
const RING_WORDS = 8;
const EVENT_WORDS = 8;
const EVENT_DATA = 0;
const EVENT_RESULT = 4;

const MAGIC = 0xa10a10a1;
/** What an operation has come to that the kernel was not given, since it did not take one in front of it. */
export const NOT_DONE = -0x8000_0000;
/** The system's number for: nothing to read now, or no room to write. */
export const TRY_AGAIN = -11;

/** Where the memory is that is read into or written: the halves of its address. */
export interface Place {
  readonly low: number;
  readonly high: number;
}

/** The place of memory that stays. */
export function placeOf(system: System, view: ArrayBufferView): Place {
  const address = system.addressOf(view);
  return { low: Number(BigInt.asIntN(32, address)), high: Number(address >> 32n) };
}

/** The kernel's side, which all batches of a thread share. */
export class BatchContext {
  readonly system: System;
  readonly id: bigint;
  readonly #ring: Int32Array;
  readonly #size: number;

  /** @param most operations of a batch @throws Error when the kernel has none for us, or it looks otherwise than it should */
  constructor(system: System, most: number) {
    const { calls, platform } = system;
    const id = new BigUint64Array(1);
    if (calls.syscall(platform.ioSetup, BigInt(most), system.addressOf(id), 0n) !== 0) {
      throw new Error('the kernel has no asynchronous I/O for this process');
    }
    this.system = system;
    this.id = id[0] as bigint;
    const header = system.wordsAt(this.id, RING_WORDS * 4);
    if ((header[RING_MAGIC] as number) >>> 0 !== MAGIC)
      throw new Error("the kernel's results are nothing that is known");
    this.#size = header[RING_SIZE] as number;
    this.#ring = system.wordsAt(this.id, (RING_WORDS + this.#size * EVENT_WORDS) * 4);
  }

  /** Takes what has come, each result to where its operation's number says. */
  reap(results: Int32Array): void {
    const ring = this.#ring;
    const tail = ring[RING_TAIL] as number;
    let head = ring[RING_HEAD] as number;
    while (head !== tail) {
      const event = RING_WORDS + head * EVENT_WORDS;
      results[ring[event + EVENT_DATA] as number] = ring[event + EVENT_RESULT] as number;
      head = head + 1 === this.#size ? 0 : head + 1;
    }
    ring[RING_HEAD] = head;
  }
}

/** Operations that are put together, and done at once. */
export class KernelBatch {
  readonly most: number;
  /** What each has come to, in their order: bytes, or a negative number of the system's, or `NOT_DONE`. */
  readonly results: Int32Array;
  readonly #context: BatchContext;
  readonly #blocks: Int32Array;
  /** Where each block is. The kernel reads it, so it must be held. */
  protected readonly addresses: BigUint64Array;
  readonly #list: bigint;
  readonly #counts: readonly bigint[];
  #count = 0;

  /** @param most at most as many as the context was made for */
  constructor(context: BatchContext, most: number) {
    this.#context = context;
    this.most = most;
    this.results = new Int32Array(most);
    this.#blocks = new Int32Array(most * BLOCK_WORDS);
    this.#counts = Array.from({ length: most + 1 }, (_, count) => BigInt(count));
    const first = context.system.addressOf(this.#blocks);
    this.addresses = BigUint64Array.from({ length: most }, (_, i) => first + BigInt(i * BLOCK_WORDS * 4));
    for (let i = 0; i < most; i++) this.#blocks[i * BLOCK_WORDS + BLOCK_DATA] = i;
    this.#list = context.system.addressOf(this.addresses);
  }

  /** Operations that were put together, 0 to `most`. */
  get count(): number {
    return this.#count;
  }

  /** @param length bytes to read at most */
  read(fd: number, place: Place, length: number): void {
    this.#add(READ, fd, place, length);
  }

  write(fd: number, place: Place, length: number): void {
    this.#add(WRITE, fd, place, length);
  }

  /** Does them, and begins anew; `results` says what they have come to. */
  run(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const { results } = this;
    results.fill(NOT_DONE, 0, count);
    const { calls, platform } = this.#context.system;
    calls.syscall(platform.ioSubmit, this.#context.id, this.#counts[count] as bigint, this.#list);
    this.#context.reap(results);
  }

  #add(operation: number, fd: number, place: Place, length: number): void {
    const at = this.#count * BLOCK_WORDS;
    const blocks = this.#blocks;
    blocks[at + BLOCK_OPERATION] = operation;
    blocks[at + BLOCK_FD] = fd;
    blocks[at + BLOCK_ADDRESS] = place.low;
    blocks[at + BLOCK_ADDRESS + 1] = place.high;
    blocks[at + BLOCK_LENGTH] = length;
    this.#count += 1;
  }
}
