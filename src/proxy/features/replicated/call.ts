/** The command at hand, as the operations on replicated keys see it: its arguments, whose they are, and the values. */
import type { Entry } from '../../../fleet/values/entry.js';
import { integerIn } from '../../../fleet/values/read-state.js';
import type { ValueStore } from '../../../fleet/values/store.js';
import type { Protocol } from '../../../resp/encode.js';
import { args, type RequestFramer } from '../../../resp/request-framer.js';
import type { LaneKind } from '../../upstream/lane-kind.js';

const NO_SOURCE = Buffer.alloc(0);

/** One object is enough: a command is handled in one piece. */
export class Call {
  readonly store: ValueStore;
  database = 0;
  protocol: Protocol = 2;
  argc = 0;
  /** Bytes of its frame. */
  bytes = 0;
  /** Its name, in lower case. */
  name = '';
  /** Others carry out the rest of the command. */
  isPart = false;
  /** Where the keys stand that are meant, for commands of several. */
  keys: readonly number[] = [];
  #source: Buffer = NO_SOURCE;
  /** Whether the key's group is a replicated one now: what it had when it was one stays, and is not seen. */
  readonly isHere: (key: Buffer) => boolean;
  readonly #onRead: (key: Buffer, hit: boolean) => void;

  /** @param isHere @see isHere @param onRead is told of each key that is read: it was there (`hit`), or was not */
  constructor(store: ValueStore, isHere: (key: Buffer) => boolean, onRead: (key: Buffer, hit: boolean) => void) {
    this.store = store;
    this.isHere = isHere;
    this.#onRead = onRead;
  }

  /** @param source holds the arguments at hand */
  begin(name: string, framer: RequestFramer, source: Buffer, { database, protocol }: LaneKind): void {
    this.name = name;
    this.#source = source;
    this.argc = framer.argc;
    this.bytes = framer.frameEnd - framer.frameStart;
    this.database = database;
    this.protocol = protocol;
  }

  /** The argument, one character for each byte: how keys and elements are kept. */
  text(at: number): string {
    return this.#source.toString('latin1', args.start[at], args.end[at]);
  }

  /** The argument's bytes; they are the socket's. */
  bytesAt(at: number): Buffer {
    return this.#source.subarray(args.start[at], args.end[at]);
  }

  word(at: number): string {
    return this.text(at).toLowerCase();
  }

  /** @returns a signed 64-bit integer; null: it is none */
  integer(at: number): bigint | null {
    return integerIn(this.bytesAt(at));
  }

  /** The value of the key that stands there; null: there is none. */
  find(at: number): Entry | null {
    return this.store.find(this.database, this.text(at));
  }

  /** The same, where it may be written: an entry may be without a value. */
  findToWrite(at: number): Entry | null {
    return this.store.findToWrite(this.database, this.text(at));
  }

  /** Whether a client may write as much as this command is long. */
  get hasRoom(): boolean {
    return this.store.hasRoomFor(this.bytes);
  }

  /** A key was read. Who brings parts of a command together counts by itself. */
  noteRead(at: number, hit: boolean): void {
    if (!this.isPart) this.#onRead(this.bytesAt(at), hit);
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.store.clock.wall();
  }
}

/** @returns the reply */
export type Operation = (call: Call) => Buffer;
