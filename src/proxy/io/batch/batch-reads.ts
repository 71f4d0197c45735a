/**
 * Sockets that are read together. Node.js starts and stops the reading of each by its handle, as it does without this; when
 * a socket cannot be read like this, its handle reads by itself again.
 *
 *   handle.readStart ─▶ ready-sockets.ts watches it ─▶ kernel-batch.ts reads it into a slot ─▶ `Receiver.onReceived`
 */
import type { Socket } from 'node:net';
import { lastingBytes } from '../../../resp/words.js';
import { systemError } from '../system-error.js';
import { type BatchContext, KernelBatch, NOT_DONE, type Place, placeOf, TRY_AGAIN } from './kernel-batch.js';
import { ReadySockets } from './ready-sockets.js';
import type { System } from './system.js';

/** What Node.js has of a socket, as far as reading goes. */
export interface ReadHandle {
  readonly fd: number;
  readStart(): number;
  readStop(): number;
  close(callback?: () => void): void;
  reset?(callback?: () => void): number;
}

/** Who takes what is read: an object that has more to do, since with thousands of sockets each object in between is one more in no cache. */
export interface Receiver {
  /** Memory of its own, for more than what fits into a slot. */
  readonly receiveBuffer: Uint8Array;
  /** @param chunk what `receiveBuffer` was, or lent: others are read into it as soon as this returns */
  onReceived(length: number, chunk: Uint8Array): void;
}

/** So many are read by one call. More would take turns in more memory than the processor's cache has room for. */
const SLOTS = 16;
const SLOT_BYTES = 16_384;
/** Slots do not all begin in the same set of the cache. */
const STAGGER_BYTES = 192;
/** So many a turn. */
const MOST_READY = 1024;
const UNWATCHED = -1;

const READER = Symbol('reader');

/** A handle that is told to read, and has it done. */
interface AdoptedHandle extends ReadHandle {
  [READER]: Reader;
}

function readStart(this: AdoptedHandle): number {
  return this[READER].start();
}

function readStop(this: AdoptedHandle): number {
  return this[READER].stop();
}

function close(this: AdoptedHandle, callback?: () => void): void {
  this[READER].onClose();
  this[READER].original.close.call(this, callback);
}

function reset(this: AdoptedHandle, callback?: () => void): number {
  this[READER].onClose();
  return this[READER].original.reset?.call(this, callback) ?? 0;
}

/** The readers that are watched, by their numbers. */
class Watched {
  readonly #ready: ReadySockets;
  readonly #readers: (Reader | null)[] = [];
  readonly #free: number[] = [];
  /** Not used again at once: events that are at hand may still mean who had them. */
  readonly #freed: number[] = [];

  constructor(ready: ReadySockets) {
    this.#ready = ready;
  }

  /** @returns its number, or `UNWATCHED` when the system does not let us */
  add(reader: Reader): number {
    const number = this.#free.pop() ?? this.#readers.length;
    if (!this.#ready.watch(reader.fd, number)) {
      if (number < this.#readers.length) this.#free.push(number);
      return UNWATCHED;
    }
    this.#readers[number] = reader;
    return number;
  }

  /** @param isClosing the system takes a socket that is closed out by itself */
  remove(reader: Reader, isClosing: boolean): void {
    if (isClosing) this.#ready.closing();
    else this.#ready.leave(reader.fd);
    this.#readers[reader.number] = null;
    this.#freed.push(reader.number);
  }

  look(): number {
    this.#free.push(...this.#freed.splice(0));
    return this.#ready.look();
  }

  /** @returns null: it is not watched any more */
  at(i: number): Reader | null {
    return this.#readers[this.#ready.at(i)] ?? null;
  }
}

/** One socket's reading. */
class Reader {
  readonly fd: number;
  readonly #watched: Watched;
  readonly #socket: Socket;
  readonly #handle: ReadHandle;
  readonly #receiver: Receiver;
  /** The handle's methods, as Node.js has made them. */
  readonly original: ReadHandle;
  number = UNWATCHED;
  /** It has had more than fits into a slot, and is read by itself. */
  isLarge = false;
  /** When it was read last: see `BatchReads.takeSeen`. */
  stretch = 0;
  /** What was read in one batch with something that made somebody stop this one. */
  #held: Buffer | null = null;
  #isStopped = true;
  #isGivenBack = false;
  #hasEnded = false;

  constructor(watched: Watched, socket: Socket, handle: ReadHandle, receiver: Receiver) {
    this.fd = handle.fd;
    this.#watched = watched;
    this.#socket = socket;
    this.#handle = handle;
    this.#receiver = receiver;
    this.original = Object.getPrototypeOf(handle);
  }

  start(): number {
    if (this.#isGivenBack) return this.original.readStart.call(this.#handle);
    if (this.number !== UNWATCHED || this.#hasEnded) return 0;
    this.number = this.#watched.add(this);
    this.#isStopped = false;
    // In front of all that is read from now on.
    if (this.#held !== null) process.nextTick(() => this.#takeHeld());
    if (this.number !== UNWATCHED) return 0;
    return this.#giveBack();
  }

  stop(): number {
    this.#isStopped = true;
    if (this.#isGivenBack) return this.original.readStop.call(this.#handle);
    this.#leave(false);
    return 0;
  }

  onClose(): void {
    this.#isStopped = true;
    this.#leave(true);
  }

  #leave(isClosing: boolean): void {
    if (this.number === UNWATCHED) return;
    this.#watched.remove(this, isClosing);
    this.number = UNWATCHED;
  }

  /** From now on Node.js reads it by itself, and does so at once. */
  #giveBack(): number {
    this.#leave(false);
    this.#isGivenBack = true;
    return this.original.readStart.call(this.#handle);
  }

  /** @param outcome as of a batch @param lent what was read into, and is read into again when this returns */
  onRead(outcome: number, lent: Uint8Array): void {
    if (outcome > 0) this.#take(outcome, lent);
    else if (outcome === 0) this.#end();
    else if (outcome === NOT_DONE) this.#giveUp();
    else if (outcome !== TRY_AGAIN) this.#fail(outcome);
  }

  /** Memory of its own to read into by itself, or null: it does not read any more. */
  largeBuffer(): Uint8Array | null {
    this.#takeHeld();
    return this.number === UNWATCHED ? null : this.#receiver.receiveBuffer;
  }

  /** The other side sends nothing more: what Node.js does when a handle of its own has read that. */
  #end(): void {
    this.#takeHeld();
    if (this.number === UNWATCHED) return;
    this.#leave(false);
    this.#hasEnded = true;
    this.#socket.push(null);
    this.#socket.read(0);
  }

  /** It cannot be read together with others. */
  #giveUp(): void {
    this.#takeHeld();
    if (this.number !== UNWATCHED) this.#giveBack();
  }

  /** The system has told of it, and does not do so again: Node.js would take it for the end. */
  #fail(status: number): void {
    this.#takeHeld();
    // One that is stopped would not have heard of it yet, but is of no more use.
    this.#socket.destroy(systemError('read', status));
  }

  #take(length: number, lent: Uint8Array): void {
    this.#takeHeld();
    if (!this.#isStopped) this.#give(length, lent);
    else if (!this.#socket.destroyed) this.#hold(lent, length);
  }

  #hold(lent: Uint8Array, length: number): void {
    const bytes = lent.subarray(0, length);
    this.#held = this.#held === null ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
  }

  #takeHeld(): void {
    const held = this.#held;
    if (held === null || this.#isStopped || this.#socket.destroyed) return;
    this.#held = null;
    this.#give(held.length, held);
  }

  #give(length: number, chunk: Uint8Array): void {
    try {
      this.#receiver.onReceived(length, chunk);
    } catch (error) {
      // What others were sent has been read as well, and nobody would read it again.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

interface Slot {
  readonly bytes: Buffer;
  readonly place: Place;
}

export class BatchReads {
  readonly #system: System;
  readonly #batch: KernelBatch;
  readonly #watched: Watched;
  readonly #slots: readonly Slot[];
  readonly #atHand: (Reader | null)[] = new Array(SLOTS).fill(null);
  readonly #single: KernelBatch;
  /** Of memory that is read into by itself. */
  readonly #places = new WeakMap<Uint8Array, Place>();
  /** To be read by themselves, and only when nothing is put together: what they are told may close others. */
  readonly #large: Reader[] = [];
  #stretch = 1;
  #seen = 0;
  /** What the last `read` has brought: sockets that had something, and bytes. */
  readonly last = { sockets: 0, bytes: 0 };

  /** @param onReadable `read` is to be called; called again until it was @throws Error when the system does not let us */
  constructor(context: BatchContext, onReadable: () => void) {
    const { system } = context;
    this.#system = system;
    this.#batch = new KernelBatch(context, SLOTS);
    this.#single = new KernelBatch(context, 1);
    this.#watched = new Watched(new ReadySockets(system, MOST_READY, onReadable));
    this.#slots = Array.from({ length: SLOTS }, () => {
      const bytes = lastingBytes(SLOT_BYTES + STAGGER_BYTES);
      return { bytes, place: placeOf(system, bytes) };
    });
  }

  /** The socket is read together with others from now on. @param handle the socket's, which does not read at the moment */
  adopt(socket: Socket, handle: ReadHandle, receiver: Receiver): void {
    const reader = new Reader(this.#watched, socket, handle, receiver);
    // Functions that all share: what tells sockets apart is the reader.
    Object.assign(handle, { [READER]: reader, readStart, readStop, close, reset });
  }

  /** How many sockets have had something to read since this was called last. */
  takeSeen(): number {
    const seen = this.#seen;
    this.#seen = 0;
    this.#stretch += 1;
    return seen;
  }

  /** Reads what there is to read; `last` says how much that was. */
  read(): void {
    const batch = this.#batch;
    const found = this.#watched.look();
    this.last.sockets = found;
    this.last.bytes = 0;
    for (let i = 0; i < found; ) {
      for (; i < found && batch.count < SLOTS; i++) this.#add(this.#watched.at(i));
      const count = batch.count;
      batch.run();
      for (let at = 0; at < count; at++) {
        const reader = this.#atHand[at] as Reader;
        const result = batch.results[at] as number;
        if (result > 0) this.last.bytes += result;
        if (result === SLOT_BYTES) reader.isLarge = true;
        reader.onRead(result, (this.#slots[at] as Slot).bytes);
      }
      for (let reader = this.#large.pop(); reader !== undefined; reader = this.#large.pop()) this.#readLarge(reader);
    }
  }

  /** Reads as much as there is room for in its own memory. */
  #readLarge(reader: Reader): void {
    const buffer = reader.largeBuffer();
    if (buffer === null) return;
    let place = this.#places.get(buffer);
    if (place === undefined) {
      place = placeOf(this.#system, buffer);
      this.#places.set(buffer, place);
    }
    this.#single.read(reader.fd, place, buffer.length);
    this.#single.run();
    const result = this.#single.results[0] as number;
    if (result > 0) this.last.bytes += result;
    reader.isLarge = result > SLOT_BYTES / 2;
    reader.onRead(result, buffer);
  }

  #add(reader: Reader | null): void {
    if (reader === null) return;
    if (reader.stretch !== this.#stretch) {
      reader.stretch = this.#stretch;
      this.#seen += 1;
    }
    if (reader.isLarge) {
      this.#large.push(reader);
      return;
    }
    const at = this.#batch.count;
    this.#atHand[at] = reader;
    this.#batch.read(reader.fd, (this.#slots[at] as Slot).place, SLOT_BYTES);
  }
}
