/**
 * Cuts the queue of a transaction into the parts of its nodes. Each command goes to the node of its keys, what has no
 * keys to the first part. SELECT and what concerns every node (FLUSHALL, KEYS) go into each part at their place, so that
 * what stands behind them there runs behind them; a command like MSET whose keys have several owners is cut itself.
 *
 *   SET a 1   MSET a 2 b 2   PING   GET b        a: first part, b: second part
 *   ▼                 ▼
 *   SET a 1 | MSET a 2 | PING        MSET b 2 | GET b
 *
 * Frames are read once more for it: where each begins and ends is not kept, which would cost those that need no cutting.
 */

import { findKeys, keyPositions } from '../../../../commands/keys.js';
import type { CommandTable } from '../../../../commands/table.js';
import { args, COMPLETE, RequestFramer, readAside } from '../../../../resp/request-framer.js';
import type { Transaction } from '../transaction.js';
import type { Part } from './part.js';
import type { Places } from './places.js';
import { elementMerge, ReplyOrder, SUM } from './reply-order.js';

const MOST_ARGS = 2_147_483_647;
const MOST_INLINE = 65_536;
const CRLF = 2;
const NO_PARTS = new Uint16Array(0);

export class Cutter {
  readonly order = new ReplyOrder();
  readonly #table: CommandTable;
  readonly #transaction: Transaction;
  readonly #places: Places;
  readonly #parts: readonly Part[];
  readonly #partOfKey: Uint16Array;
  readonly #framer: RequestFramer;
  /** The next command's position in the queue, and the next key's. */
  #position = 0;
  #key = 0;
  /** The next of what is told by its position. */
  #select = 0;
  #everywhere = 0;
  #readOfAll = 0;
  #unseen = 0;
  /** Frames that stand one behind the other and go to one part are copied in one piece. */
  #run: Part | null = null;
  #runStart = 0;
  #runEnd = 0;

  /** @param maxBulkLength as the frames were read with */
  constructor(table: CommandTable, transaction: Transaction, places: Places, maxBulkLength: number) {
    this.#table = table;
    this.#transaction = transaction;
    this.#places = places;
    this.#parts = places.parts;
    this.#partOfKey = places.partOfKey;
    this.#framer = new RequestFramer({
      maxArgs: MOST_ARGS,
      maxBulkLength,
      maxInlineLength: MOST_INLINE,
      authenticated: true,
    });
  }

  /** Fills the parts. @returns false where a command that runs on one node has keys on several */
  cut(): boolean {
    // EXEC is looked at once more when it was taken: by MONITOR, and for what its client tracks.
    return readAside(() => this.#cutAll());
  }

  #cutAll(): boolean {
    for (const [number, chunk] of this.#transaction.frames.take().entries()) {
      if (!this.#cutChunk(chunk, number)) return false;
      this.#endRun(chunk);
    }
    return true;
  }

  #cutChunk(chunk: Buffer, number: number): boolean {
    const { frames, selects, everywhere, readsOfAll, unseen } = this.#transaction;
    const framer = this.#framer;
    for (let at = 0; at < chunk.length; at = framer.consumed) {
      if (framer.next(chunk, at, chunk.length) !== COMPLETE) return false;
      const end = framer.consumed;
      const first = this.#key;
      let isOfOne = true;
      while (this.#key < frames.keyCount && frames.chunkOf(this.#key) === number && frames.offsetOf(this.#key) < end) {
        if (this.#partOfKey[this.#key] !== this.#partOfKey[first]) isOfOne = false;
        this.#key++;
      }
      if (selects[this.#select]?.at === this.#position) {
        this.#select++;
        this.#toAll(chunk, at, end);
      } else if (everywhere[this.#everywhere]?.at === this.#position) {
        this.#everywhere++;
        this.#toAll(chunk, at, end);
      } else if (readsOfAll[this.#readOfAll]?.at === this.#position) {
        const how = readsOfAll[this.#readOfAll++]?.how ?? SUM;
        this.order.addMerged(how, [...this.#parts.keys()], NO_PARTS);
        this.#copyToAll(chunk, at, end);
      } else if (unseen[this.#unseen] === this.#position) {
        this.#unseen++;
        this.#toUnseen(chunk, at, end);
      } else if (isOfOne) {
        const part = this.#key === first ? 0 : (this.#partOfKey[first] as number);
        this.order.add(part);
        this.#to(this.#parts[part] as Part, chunk, at, end);
      } else if (!this.#divide(chunk, first)) return false;
      this.#position++;
    }
    return true;
  }

  #to(part: Part, chunk: Buffer, start: number, end: number): void {
    part.count++;
    if (this.#run === part) {
      this.#runEnd = end;
      return;
    }
    this.#endRun(chunk);
    this.#run = part;
    this.#runStart = start;
    this.#runEnd = end;
  }

  #endRun(chunk: Buffer): void {
    this.#run?.frames.addOwned(chunk, this.#runStart, this.#runEnd);
    this.#run = null;
  }

  #toAll(chunk: Buffer, start: number, end: number): void {
    this.order.addOfAll();
    this.#copyToAll(chunk, start, end);
  }

  #copyToAll(chunk: Buffer, start: number, end: number): void {
    this.#endRun(chunk);
    for (const part of this.#parts) {
      part.count++;
      part.frames.addOwned(chunk, start, end);
    }
  }

  /** A frame of the proxy's own: it goes where the key is that it names. */
  #toUnseen(chunk: Buffer, start: number, end: number): void {
    const command = this.#table.lookup(chunk, args.start[0] as number, args.end[0] as number);
    const keys = command === undefined ? 0 : findKeys(command, args, this.#framer.argc, chunk);
    const at = keyPositions.at[0] as number;
    const part = keys <= 0 ? 0 : this.#places.partOf(chunk, args.start[at] as number, args.end[at] as number);
    this.order.addUnseen(part);
    this.#to(this.#parts[part] as Part, chunk, start, end);
  }

  /**
   * The command at hand has keys of several parts: each gets those that are its own.
   * @param first its first key in the queue
   * @returns false where that may not be
   */
  #divide(chunk: Buffer, first: number): boolean {
    const command = this.#table.lookup(chunk, args.start[0] as number, args.end[0] as number);
    const step = command?.splitStep ?? 0;
    const merge = command === undefined ? null : elementMerge(command.merge);
    const { argc } = this.#framer;
    const keyParts = this.#partOfKey.subarray(first, this.#key);
    if (step === 0 || merge === null) return false;
    if (keyParts.length * step !== argc - 1) {
      // An odd number of arguments of MSET: any node has the right error for it.
      this.order.add(0);
      this.#to(this.#parts[0] as Part, chunk, this.#framer.frameStart, this.#framer.frameEnd);
      return true;
    }
    this.#endRun(chunk);
    const counts = new Map<number, number>();
    for (const part of keyParts) counts.set(part, (counts.get(part) ?? 0) + 1);
    const name = chunk.subarray(args.start[0], (args.end[0] as number) + CRLF);
    for (const [number, count] of counts) {
      const part = this.#parts[number] as Part;
      part.count++;
      const head = Buffer.from(`*${count * step + 1}\r\n$${name.length - CRLF}\r\n`);
      part.frames.add(head, 0, head.length);
      part.frames.add(name, 0, name.length);
    }
    for (let k = 0; k < keyParts.length; ) {
      const part = keyParts[k] as number;
      // A bulk's header begins where the one before it ended.
      const start = (args.end[k * step] as number) + CRLF;
      // Neighbours that go to one node are copied in one piece.
      do k++;
      while (k < keyParts.length && keyParts[k] === part);
      this.#parts[part]?.frames.addOwned(chunk, start, (args.end[k * step] as number) + CRLF);
    }
    this.order.addMerged(merge, [...counts.keys()], keyParts);
    return true;
  }
}
